/** Every change of the tables, in order. Add a line here and a file beside it; never change one that was released. */
import type { Db } from '../database.ts';
import { up as eventsAndCheckpoints } from './0001-events.ts';

export type Migration = { readonly name: string; readonly up: (db: Db) => Promise<void> };

export const migrations: readonly Migration[] = [{ name: '0001-events', up: eventsAndCheckpoints }];
