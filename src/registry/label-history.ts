/** Who moved which alias or stage, when, and what they said at any moment: folded from the log. */
import type { Json, LoggedEvent } from '../events/event.ts';
import { timeOf } from '../tracking/search-time.ts';

/** What the fold looks at; everything else can stay unread. */
export const labelEventTypes: readonly string[] = [
  'registry.alias-set',
  'registry.alias-deleted',
  'registry.stage-set',
  'registry.version-deleted',
  'registry.version-restored',
  'registry.model-created',
  'registry.prompt-created',
  'registry.model-renamed',
  'registry.model-deleted',
  'registry.model-restored',
  'registry.model-imported',
];

export type LabelEvent = Pick<LoggedEvent, 'position' | 'type' | 'subject' | 'actor' | 'at' | 'data'>;

type Move = {
  /** Of the event in the log. */
  readonly position: number;
  readonly at: number;
  readonly actor: string;
  /** Absent where the label itself was moved; else what happened to the version or the model that had it. */
  readonly because?: 'deleted' | 'restored';
};
export type LabelMove =
  /** `from` absent: nobody had the alias; `to` absent: nobody has it any more. */
  | (Move & { readonly kind: 'alias'; readonly alias: string; readonly from?: number; readonly to?: number })
  /** MLflow's stage of a version; absent while the version is deleted. */
  | (Move & { readonly kind: 'stage'; readonly version: number; readonly from?: string; readonly to?: string });

export type Labels = {
  /** Version by alias. */
  readonly aliases: ReadonlyMap<string, number>;
  /** Stage by version; versions whose stage was never set are not in it. */
  readonly stages: ReadonlyMap<number, string>;
};

/** The labels of one model with all their moves, and the stages that wait for its deleted versions. */
type Model = Labels & { readonly moves: readonly LabelMove[]; readonly hidden: ReadonlyMap<number, string> };
const newModel: Model = { aliases: new Map(), stages: new Map(), moves: [], hidden: new Map() };

/**
 * The moves, oldest first, of the model that has this name now, under whatever name it had them; of the last one that had the name,
 * where none has.
 * @param events in the order of the log; those of other models and of other types change nothing
 */
export function labelMoves(name: string, events: readonly LabelEvent[]): readonly LabelMove[] {
  const models = new Map<string, Model>();
  const trash = new Map<string, Model>();
  let last: Model | undefined;
  for (const event of events) {
    const { type, subject, data } = event;
    const [, model = ''] = /^model\/([^/]+)/.exec(subject) ?? [];
    const before = models.get(model) ?? newModel;
    switch (type) {
      case 'registry.model-created':
      case 'registry.prompt-created':
        models.set(model, newModel);
        break;
      case 'registry.model-renamed':
        models.delete(model);
        models.set(String(data.to), before);
        break;
      case 'registry.model-deleted': {
        const gone = withoutAll(before, event);
        models.delete(model);
        if (typeof data.trash === 'string') trash.set(data.trash, { ...before, moves: gone.moves });
        if (model === name) last = gone;
        break;
      }
      case 'registry.model-restored':
        models.set(model, restored(trash.get(String(data.trash)) ?? newModel, event));
        break;
      default:
        models.set(model, after(before, event));
    }
  }
  return (models.get(name) ?? last ?? newModel).moves;
}

/** What aliases and stages said at a moment. @param at milliseconds since 1970; now, when absent */
export function labelsAt(moves: readonly LabelMove[], at = Number.POSITIVE_INFINITY): Labels {
  const aliases = new Map<string, number>();
  const stages = new Map<number, string>();
  for (const move of moves) {
    if (move.at > at) continue;
    if (move.kind === 'alias') put(aliases, move.alias, move.to);
    else put(stages, move.version, move.to);
  }
  return { aliases, stages };
}

function put<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

function after(model: Model, event: LabelEvent): Model {
  const { data } = event;
  const version = Number(data.version);
  switch (event.type) {
    case 'registry.alias-set':
      return withAlias(model, event, { alias: String(data.alias), to: version });
    case 'registry.alias-deleted':
      return withAlias(model, event, { alias: String(data.alias), to: undefined });
    case 'registry.stage-set': {
      const archived = numbersOf(data.archived);
      const others = archived.reduce((now, other) => withStage(now, event, { version: other, to: 'Archived' }), model);
      return withStage(others, event, { version, to: String(data.stage) });
    }
    // What its labels said where it came from; who moved them there, nobody here knows.
    case 'registry.model-imported': {
      const named = membersOf(data.aliases).reduce(
        (now, [alias, to]) => withAlias(now, event, { alias, to: Number(to) }),
        model,
      );
      return membersOf(data.stages).reduce(
        (now, [number, to]) => withStage(now, event, { version: Number(number), to: String(to) }),
        named,
      );
    }
    case 'registry.version-deleted': {
      const aliases = [...model.aliases].filter(([, named]) => named === version).map(([alias]) => alias);
      const because = 'deleted';
      const unnamed = aliases.reduce((now, alias) => withAlias(now, event, { alias, to: undefined, because }), model);
      const stage = unnamed.stages.get(version);
      if (stage === undefined) return unnamed;
      const hidden = new Map(unnamed.hidden).set(version, stage);
      return { ...withStage(unnamed, event, { version, to: undefined, because }), hidden };
    }
    case 'registry.version-restored': {
      const because = 'restored';
      const named = textsOf(data.aliases).reduce(
        (now, alias) => withAlias(now, event, { alias, to: version, because }),
        model,
      );
      const stage = named.hidden.get(version);
      if (stage === undefined) return named;
      const hidden = new Map(named.hidden);
      hidden.delete(version);
      return { ...withStage(named, event, { version, to: stage, because }), hidden };
    }
    default:
      return model;
  }
}

/** A deleted model: its labels are gone, and its moves say so. */
function withoutAll(model: Model, event: LabelEvent): Model {
  const because = 'deleted';
  const aliases = [...model.aliases.keys()];
  const unnamed = aliases.reduce((now, alias) => withAlias(now, event, { alias, to: undefined, because }), model);
  const staged = [...model.stages.keys()];
  return staged.reduce((now, version) => withStage(now, event, { version, to: undefined, because }), unnamed);
}

/** A restored model: it has the labels it had, and its moves tell of the time between. */
function restored(model: Model, event: LabelEvent): Model {
  const because = 'restored';
  const { aliases, stages, hidden, moves } = model;
  const empty: Model = { ...newModel, hidden, moves };
  const named = [...aliases].reduce((now, [alias, to]) => withAlias(now, event, { alias, to, because }), empty);
  return [...stages].reduce((now, [version, to]) => withStage(now, event, { version, to, because }), named);
}

function withAlias(
  model: Model,
  event: LabelEvent,
  {
    alias,
    to,
    because,
  }: { readonly alias: string; readonly to: number | undefined; readonly because?: Move['because'] },
): Model {
  const from = model.aliases.get(alias);
  if (from === to) return model;
  const aliases = new Map(model.aliases);
  put(aliases, alias, to);
  const move: LabelMove = { ...moveOf(event, because), kind: 'alias', alias, ...given({ from, to }) };
  return { ...model, aliases, moves: [...model.moves, move] };
}

function withStage(
  model: Model,
  event: LabelEvent,
  {
    version,
    to,
    because,
  }: { readonly version: number; readonly to: string | undefined; readonly because?: Move['because'] },
): Model {
  const from = model.stages.get(version);
  if (from === to) return model;
  const stages = new Map(model.stages);
  put(stages, version, to);
  const move: LabelMove = { ...moveOf(event, because), kind: 'stage', version, ...given({ from, to }) };
  return { ...model, stages, moves: [...model.moves, move] };
}

const moveOf = ({ position, at, actor }: LabelEvent, because: Move['because']): Move => ({
  ...{ position, at, actor },
  ...(because !== undefined && { because }),
});

const given = <T>({ from, to }: { readonly from: T | undefined; readonly to: T | undefined }) => ({
  ...(from !== undefined && { from }),
  ...(to !== undefined && { to }),
});

const numbersOf = (json: Json | undefined): readonly number[] => (Array.isArray(json) ? json.map(Number) : []);
const membersOf = (json: Json | undefined): readonly (readonly [string, Json])[] =>
  typeof json === 'object' && json !== null ? Object.entries(json) : [];
const textsOf = (json: Json | undefined): readonly string[] => (Array.isArray(json) ? json.map(String) : []);

/**
 * The moment that a text means: `2026-05-03` is the end of that day in UTC, a time is itself.
 * @returns milliseconds since 1970; undefined for what is neither
 */
export function momentOf(text: string): number | undefined {
  const at = timeOf(text);
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text);
  return at !== undefined && isDay ? at + 86_399_999 : at;
}
