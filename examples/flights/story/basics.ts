/** What all chapters share: who is spoken of, how it is told, and what ends the story early. */

export const endpoint = 'flights';
export const model = 'flight-delay';

/** How a chapter is shown while it happens. */
export type Teller = {
  chapter(title: string): void;
  /** What goes on now; replaced by the next. */
  now(text: string): void;
  /** What happened; it stays. */
  fact(text: string): void;
};

/** A part of the story did not happen as the data say it must. */
export class StoryFailed extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StoryFailed';
  }
}

/** @throws StoryFailed */
export function expect(truth: unknown, message: string): asserts truth {
  if (!truth) throw new StoryFailed(message);
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
export const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`;
