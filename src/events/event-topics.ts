/** What the event log announces after a commit (see storage/announcements.ts). */

/** Events have got their positions: look now. */
export const appendedTopic = 'events/appended';
/** Events wait for their positions: a word to the sequencer of PostgreSQL. */
export const waitingTopic = 'events/waiting';
