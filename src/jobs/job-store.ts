import { announce } from '../storage/announcements.ts';
import type { Db } from '../storage/database.ts';
import type { Job, JobError, JobProgress, JobState, Lane } from './job.ts';

type JobRow = {
  id: string;
  kind: string;
  lane: string | null;
  parent: string | null;
  project: string | null;
  actor: string;
  input: string;
  state: string;
  attempts: number;
  cancel_requested: number;
  lease_owner: string | null;
  lease_until: number | null;
  share: number | null;
  note: string;
  log: string;
  result: string | null;
  error: string | null;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
};

export type JobTables = { jobs: JobRow };

/** Said after the commit that put a job into the queue, and after the one that ended one. */
export const queuedTopic = 'jobs/queued';
export const endedTopic = 'jobs/ended';

/** Who runs a job, and until when nobody else may take it for dead. */
export type Lease = { readonly owner: string; readonly until: number };

export type JobEnd =
  | { readonly state: 'done'; readonly result: unknown }
  | { readonly state: 'failed' | 'cancelled'; readonly error: JobError };

export type JobPage = {
  readonly project?: string;
  readonly limit: number;
  readonly before?: { createdAt: number; id: string };
};

export const jobStore = (db: Db) => {
  const jobs = db.withTables<JobTables>();

  return {
    async insert(job: Job): Promise<void> {
      await jobs
        .insertInto('jobs')
        .values({
          id: job.id,
          kind: job.kind,
          lane: job.lane ?? null,
          parent: job.parent ?? null,
          project: job.project ?? null,
          actor: job.actor,
          input: JSON.stringify(job.input ?? null),
          state: job.state,
          attempts: job.attempts,
          cancel_requested: 0,
          lease_owner: null,
          lease_until: null,
          share: job.progress.share ?? null,
          note: job.progress.note,
          log: '[]',
          result: null,
          error: null,
          created_at: job.createdAt,
          started_at: job.startedAt ?? null,
          ended_at: null,
        })
        .execute();
      if (job.state === 'queued') announce(db, queuedTopic);
    },

    async find(id: string): Promise<Job | undefined> {
      const row = await jobs.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst();
      return row && toJob(row);
    },

    async logOf(id: string): Promise<readonly string[]> {
      const row = await jobs.selectFrom('jobs').select('log').where('id', '=', id).executeTakeFirst();
      return row ? JSON.parse(row.log) : [];
    },

    /** Operations a person started, newest first; the parts they consist of are not listed. */
    async list({ project, limit, before }: JobPage): Promise<readonly Job[]> {
      let query = jobs.selectFrom('jobs').selectAll().where('parent', 'is', null);
      if (project !== undefined) query = query.where('project', '=', project);
      if (before) {
        query = query.where((is) =>
          is.or([
            is('created_at', '<', before.createdAt),
            is.and([is('created_at', '=', before.createdAt), is('id', '<', before.id)]),
          ]),
        );
      }
      const rows = await query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
      return rows.map(toJob);
    },

    async children(parent: string): Promise<readonly Job[]> {
      const rows = await jobs
        .selectFrom('jobs')
        .selectAll()
        .where('parent', '=', parent)
        .orderBy('created_at')
        .execute();
      return rows.map(toJob);
    },

    /** Jobs of a kind that have not ended, oldest first. */
    async open(kind: string): Promise<readonly Job[]> {
      const rows = await jobs
        .selectFrom('jobs')
        .selectAll()
        .where('kind', '=', kind)
        .where('state', 'in', ['queued', 'running'])
        .orderBy('created_at')
        .execute();
      return rows.map(toJob);
    },
    async hasQueued(lane: Lane): Promise<boolean> {
      const row = await jobs
        .selectFrom('jobs')
        .select('id')
        .where('state', '=', 'queued')
        .where('lane', '=', lane)
        .limit(1)
        .executeTakeFirst();
      return row !== undefined;
    },

    /** Takes the oldest waiting job of a lane. The second update decides when two servers saw the same one. */
    async claim(lane: Lane, lease: Lease, at: number): Promise<Job | undefined> {
      const next = await jobs
        .selectFrom('jobs')
        .select('id')
        .where('state', '=', 'queued')
        .where('lane', '=', lane)
        .orderBy('created_at')
        .orderBy('id')
        .limit(1)
        .executeTakeFirst();
      if (!next) return undefined;
      const row = await jobs
        .updateTable('jobs')
        .set((is) => ({
          state: 'running',
          attempts: is('attempts', '+', 1),
          lease_owner: lease.owner,
          lease_until: lease.until,
          started_at: at,
        }))
        .where('id', '=', next.id)
        .where('state', '=', 'queued')
        .returningAll()
        .executeTakeFirst();
      return row && toJob(row);
    },

    /** Keeps a lease alive and saves the progress. `undefined`: the job is no longer this owner's. */
    async renew(id: string, lease: Lease, progress: JobProgress): Promise<{ cancelRequested: boolean } | undefined> {
      const row = await jobs
        .updateTable('jobs')
        .set({ lease_until: lease.until, share: progress.share ?? null, note: progress.note })
        .where('id', '=', id)
        .where('lease_owner', '=', lease.owner)
        .where('state', '=', 'running')
        .returning('cancel_requested')
        .executeTakeFirst();
      return row && { cancelRequested: row.cancel_requested === 1 };
    },

    /** Jobs whose server has died: their lease ran out, or, with `exceptOwner`, they belong to anybody else. */
    async abandoned(at: number, exceptOwner?: string): Promise<readonly Job[]> {
      const rows = await jobs
        .selectFrom('jobs')
        .selectAll()
        .where('state', '=', 'running')
        .where('lane', 'is not', null)
        .where((is) => (exceptOwner === undefined ? is('lease_until', '<', at) : is('lease_owner', '!=', exceptOwner)))
        .execute();
      return rows.map(toJob);
    },

    async requeue(id: string): Promise<void> {
      await jobs
        .updateTable('jobs')
        .set({ state: 'queued', lease_owner: null, lease_until: null })
        .where('id', '=', id)
        .where('state', '=', 'running')
        .execute();
      announce(db, queuedTopic);
    },

    /** Gives a job back that was stopped in good order: that start does not count. */
    async release(id: string): Promise<void> {
      await jobs
        .updateTable('jobs')
        .set((is) => ({ state: 'queued', lease_owner: null, lease_until: null, attempts: is('attempts', '-', 1) }))
        .where('id', '=', id)
        .where('state', '=', 'running')
        .execute();
    },

    async requestCancel(id: string): Promise<void> {
      await jobs.updateTable('jobs').set({ cancel_requested: 1 }).where('id', '=', id).execute();
    },

    async isCancelRequested(id: string): Promise<boolean> {
      const row = await jobs.selectFrom('jobs').select('cancel_requested').where('id', '=', id).executeTakeFirst();
      return row?.cancel_requested === 1;
    },

    async setProgress(id: string, progress: JobProgress): Promise<void> {
      await jobs
        .updateTable('jobs')
        .set({ share: progress.share ?? null, note: progress.note })
        .where('id', '=', id)
        .execute();
    },

    /** Ends a job once: a second end, by a server that was taken for dead, changes nothing and answers `false`. */
    async end(id: string, end: JobEnd, at: number, log?: readonly string[]): Promise<boolean> {
      const rows = await jobs
        .updateTable('jobs')
        .set({
          state: end.state,
          result: end.state === 'done' ? JSON.stringify(end.result ?? null) : null,
          error: end.state === 'done' ? null : JSON.stringify(end.error),
          ended_at: at,
          lease_owner: null,
          lease_until: null,
          ...(end.state === 'done' && { share: 1 }),
          ...(log && { log: JSON.stringify(log) }),
        })
        .where('id', '=', id)
        .where('state', 'in', ['queued', 'running'])
        .returning('id')
        .execute();
      announce(db, endedTopic);
      return rows.length === 1;
    },
  };
};
export type JobStore = ReturnType<typeof jobStore>;

function toJob(row: JobRow): Job {
  return {
    id: row.id,
    kind: row.kind,
    ...(row.lane !== null && { lane: row.lane as Lane }), // written by `insert` only
    ...(row.parent !== null && { parent: row.parent }),
    ...(row.project !== null && { project: row.project }),
    actor: row.actor,
    input: JSON.parse(row.input),
    state: row.state as JobState, // written by this store only
    attempts: Number(row.attempts),
    progress: { note: row.note, ...(row.share !== null && { share: row.share }) },
    ...(row.result !== null && { result: JSON.parse(row.result) }),
    ...(row.error !== null && { error: JSON.parse(row.error) }),
    createdAt: Number(row.created_at),
    ...(row.started_at !== null && { startedAt: Number(row.started_at) }),
    ...(row.ended_at !== null && { endedAt: Number(row.ended_at) }),
  };
}
