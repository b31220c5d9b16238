/** The story on a terminal: a line that moves while something happens, and lines that stay when it has. */
import type { Output } from './output.ts';

export function demoTeller(output: Output) {
  const started = performance.now();
  let chapter = 0;
  let chapterStarted = started;
  let title = '';
  const close = () => {
    if (title !== '') output.hint(`   ${seconds(performance.now() - chapterStarted)}`);
  };
  return {
    chapter(next: string): void {
      close();
      chapter++;
      title = next;
      chapterStarted = performance.now();
      output.say(output.style('bold', `${chapter}  ${title}`));
    },
    now(text: string): void {
      output.progress(`   ${text}`);
    },
    fact(text: string): void {
      output.say(`   ${text}`);
    },
    end(): void {
      close();
      title = '';
      output.hint(`The story took ${seconds(performance.now() - started)}.`);
    },
  };
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
