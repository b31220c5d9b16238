/** The events about a model's aliases and stages. */
import { type EventTables, eventOf, readEvents } from '../events/event-store.ts';
import type { Db } from '../storage/database.ts';
import { type LabelEvent, labelEventTypes } from './label-history.ts';

/** In the order of the log, with those of every name that the model has had. */
export async function readLabelEvents(db: Db, name: string): Promise<readonly LabelEvent[]> {
  const names = await namesOf(db, name);
  const rows = await db
    .withTables<EventTables>()
    .selectFrom('events')
    .selectAll()
    .where('position', 'is not', null)
    .where('type', 'in', labelEventTypes)
    .where((e) =>
      e.or(
        names.flatMap((one) => {
          // Subjects of its versions are a range of the index, because '0' follows '/'.
          const versions = e.and([e('subject', '>', `model/${one}/`), e('subject', '<', `model/${one}0`)]);
          return [e('subject', '=', `model/${one}`), versions];
        }),
      ),
    )
    .orderBy('position')
    .execute();
  return rows.map(eventOf);
}

/** All names that are linked to this one by renames, in either direction: the fold tells the models apart. */
async function namesOf(db: Db, name: string): Promise<readonly string[]> {
  const names = new Set([name]);
  const types = ['registry.model-renamed'];
  const renames = await readEvents(db, { types, limit: 100_000 });
  for (let before = 0; before !== names.size; ) {
    before = names.size;
    for (const { subject, data } of renames) {
      const pair = [subject.slice('model/'.length), String(data.to)];
      if (pair.some((one) => names.has(one))) for (const one of pair) names.add(one);
    }
  }
  return [...names];
}
