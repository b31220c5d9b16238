/** First come, first served, one at a time. */

export type Lease = {
  readonly acquire: () => Promise<void>;
  readonly giveBack: () => void;
  readonly waiting: () => boolean;
};

export function createLease(): Lease {
  const queue: (() => void)[] = [];
  let taken = false;
  return {
    acquire: async () => {
      if (!taken) {
        taken = true;
        return;
      }
      await new Promise<void>((resolve) => queue.push(resolve));
    },
    giveBack: () => {
      const next = queue.shift();
      if (next) next();
      else taken = false;
    },
    waiting: () => queue.length > 0,
  };
}
