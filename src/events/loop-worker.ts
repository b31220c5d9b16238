/** A loop that runs when woken, and now and then by itself. */

export type LoopOptions = {
  /** Does what there is to do; true when there is more. Runs one at a time. */
  readonly pass: (signal: AbortSignal) => Promise<boolean>;
  /** How long to sleep without being woken, and how long to wait after an error, in milliseconds. */
  readonly everyMs: number;
  /** The least time between two passes, in milliseconds. */
  readonly atMostEveryMs?: number | undefined;
  readonly onError: (error: unknown) => void;
};

export type Loop = AsyncDisposable & {
  /** Something may have changed; a pass that runs now is followed by another. */
  readonly wake: () => void;
};

/** Closing aborts the signal and waits for the pass that runs. */
export function startLoop({ pass, everyMs, atMostEveryMs = 0, onError }: LoopOptions): Loop {
  const closing = new AbortController();
  let woken = true;
  let stopSleeping = () => {};

  const sleep = (ms: number, { unlessWoken }: { unlessWoken: boolean }) =>
    new Promise<void>((resolve) => {
      if (closing.signal.aborted || (unlessWoken && woken)) return resolve();
      const timer = setTimeout(resolve, ms);
      stopSleeping = () => {
        if (!unlessWoken && !closing.signal.aborted) return;
        clearTimeout(timer);
        resolve();
      };
    });

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      woken = false;
      let failed = false;
      try {
        if (await pass(closing.signal)) woken = true;
      } catch (error) {
        if (!closing.signal.aborted) onError(error);
        failed = true;
      }
      if (failed) await sleep(everyMs, { unlessWoken: false });
      else {
        if (atMostEveryMs > 0) await sleep(atMostEveryMs, { unlessWoken: false });
        await sleep(everyMs, { unlessWoken: true });
      }
    }
  }

  const running = run();
  return {
    wake: () => {
      woken = true;
      stopSleeping();
    },
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      stopSleeping();
      await running;
    },
  };
}
