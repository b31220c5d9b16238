/** Audit: who did what, why, under which rule, and can I trust this log? */
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Fragment, useState } from 'react';
import { address, get, post } from '../data/api.ts';
import { type LoggedEvent, sentenceOf, useEventPages, whatHappened, whoActed } from '../data/event.ts';
import { count, moment, tidy } from '../format.ts';
import { PageHead } from '../parts/page-head.tsx';
import { Loaded, Nothing } from '../parts/states.tsx';
import type { Mark } from '../parts/verdict.tsx';

type Checkpoint = { readonly size: number; readonly root: string; readonly at: number };
type AuditState = {
  readonly size: number;
  readonly verified?: { readonly size: number; readonly at: number; readonly bad?: { position: number; why: string } };
  readonly checkpoints: readonly Checkpoint[];
};

const filters = [
  { name: 'Everything', key: undefined, matches: () => true },
  {
    name: 'Forced',
    key: 'forced',
    matches: (event: LoggedEvent) => Boolean(event.data['forced']) || event.data['force'] !== undefined,
  },
  { name: 'People only', key: 'people', matches: (event: LoggedEvent) => !event.actor.startsWith('rule') },
] as const;

type Search = { readonly find?: unknown; readonly only?: unknown; readonly entry?: unknown };

const pageLength = 200;

export function AuditPage() {
  const audit = useQuery({
    queryKey: ['events', 'audit'],
    queryFn: ({ signal }) => get<AuditState>('/api/v1/audit', {}, signal),
  });
  const events = useEventPages(pageLength);
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as Search; // View state lives in the address.
  const wanted = search.find === undefined ? '' : String(search.find);
  const filter = filters.find(({ key }) => key === search.only) ?? filters[0];
  const look = (next: Search) =>
    void navigate({
      to: '/audit',
      search: ((before: Search) => ({ ...before, ...next })) as never,
      replace: true,
      resetScroll: false,
    });
  const [verifying, setVerifying] = useState(false);
  const verify = async () => {
    setVerifying(true);
    try {
      await post('/api/v1/audit/verify');
      await audit.refetch();
    } finally {
      setVerifying(false);
    }
  };
  // The first who looks wants to know; later ones ask.
  useQuery({
    queryKey: ['first-verification'],
    enabled: audit.data !== undefined && audit.data.verified === undefined && audit.data.size > 0,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async () => {
      await verify();
      return true;
    },
  });
  return (
    <>
      <AuditHead audit={audit.data} verifying={verifying} onVerify={() => void verify()} />
      <div className="filters">
        <input
          type="search"
          className="btn query"
          aria-label="Filter by who, what or why"
          placeholder="Anyone, anything, any rule"
          value={wanted}
          onChange={(event) => look({ find: event.currentTarget.value || undefined })}
        />
        {filters.map((candidate) => (
          <button
            key={candidate.name}
            type="button"
            className="btn"
            aria-pressed={candidate === filter}
            onClick={() => look({ only: candidate.key })}
          >
            {candidate.name}
          </button>
        ))}
      </div>
      <Loaded query={events} what="the log">
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          const shown = items.filter((event) => filter.matches(event) && matches(event, wanted));
          if (items.length === 0)
            return <Nothing title="Nothing has changed yet">The first change writes the first entry.</Nothing>;
          return (
            <>
              {shown.length === 0 ? (
                <Nothing title={`None of the ${count(items.length)} newest entries match`}>
                  <button type="button" className="btn" onClick={() => look({ find: undefined, only: undefined })}>
                    Clear the filter
                  </button>
                </Nothing>
              ) : (
                <Entries
                  events={shown}
                  checkpoints={audit.data?.checkpoints ?? []}
                  badFrom={audit.data?.verified?.bad?.position}
                  open={search.entry === undefined ? undefined : Number(search.entry)}
                  onOpen={(entry) => look({ entry })}
                />
              )}
              <div className="table-foot">
                <span>
                  {count(shown.length)} of the {count(items.length)} {events.hasNextPage ? 'newest ' : ''}entries
                </span>
                {events.hasNextPage && (
                  <button
                    type="button"
                    className="btn"
                    disabled={events.isFetchingNextPage}
                    onClick={() => void events.fetchNextPage()}
                  >
                    {events.isFetchingNextPage ? 'Reading older entries' : 'Read older entries'}
                  </button>
                )}
              </div>
            </>
          );
        }}
      </Loaded>
    </>
  );
}

function AuditHead({
  audit,
  verifying,
  onVerify,
}: {
  audit: AuditState | undefined;
  verifying: boolean;
  onVerify: () => void;
}) {
  const verified = audit?.verified;
  const bad = verified?.bad;
  const newest = audit?.checkpoints[0];
  const title = bad
    ? `Entry ${count(bad.position)} is not what was written`
    : verified
      ? `Log verified to entry ${count(verified.size)}${audit.size === verified.size ? ', all of it' : ''}`
      : 'The log has not been verified yet';
  return (
    <PageHead
      title={title}
      {...(verified && { mark: (bad ? 'fail' : 'pass') as Mark })}
      actions={
        <>
          <button type="button" className="btn primary" onClick={onVerify} disabled={verifying}>
            {verifying ? 'Verifying' : 'Verify now'}
          </button>
          <a className="btn" href={address('/api/v1/audit/export')} download>
            Export
          </a>
        </>
      }
    >
      {bad ? (
        <b>{bad.why}. Everything after it is not vouched for.</b>
      ) : (
        <>
          Every change is an entry, written with the change.{' '}
          {newest && (
            <b>
              The last checkpoint, of {count(newest.size)} entries, was signed at {time(newest.at)}.
            </b>
          )}
        </>
      )}
    </PageHead>
  );
}

function Entries({
  events,
  checkpoints,
  badFrom,
  open,
  onOpen,
}: {
  events: readonly LoggedEvent[];
  checkpoints: readonly Checkpoint[];
  badFrom: number | undefined;
  open: number | undefined;
  onOpen: (entry: number | undefined) => void;
}) {
  return (
    <div className="wide">
      <table className="au">
        <thead>
          <tr>
            <th className="seam-head">
              <span className="seen-only-by-readers">Seam</span>
            </th>
            <th className="num">Entry</th>
            <th>Recorded</th>
            <th>Endpoint time</th>
            <th>Who</th>
            <th>What</th>
            <th>Why, under which rule</th>
          </tr>
        </thead>
        <tbody>
          {events.map((event, index) => {
            const newer = events[index - 1]?.position ?? Number.POSITIVE_INFINITY;
            const knots = knotsOf(checkpoints)
              .filter(({ size }) => size >= event.position && size < newer)
              .slice(0, 1);
            const broken = badFrom !== undefined && event.position >= badFrom;
            const isOpen = open === event.position;
            return (
              <Fragment key={event.position}>
                {knots.map((knot) => (
                  <tr key={knot.size} className={broken ? 'cp broken' : 'cp'}>
                    <td className="seam">
                      <i className="k" />
                    </td>
                    <td colSpan={6}>
                      Checkpoint, {count(knot.size)} entries, root {shorten(knot.root)}, signed at {time(knot.at)}
                    </td>
                  </tr>
                ))}
                <tr className={`${isOpen ? 'open' : ''} ${broken ? 'broken' : ''}`}>
                  <td className="seam">{isOpen && <i />}</td>
                  <td className="num i3">{count(event.position)}</td>
                  <td className="i2 nowrap">{time(event.at)}</td>
                  <td className="i3 nowrap">{event.endpointTime === undefined ? '' : moment(event.endpointTime)}</td>
                  <td className="nowrap">{whoActed(event.actor)}</td>
                  <td>
                    <button
                      type="button"
                      className="as-link"
                      aria-expanded={isOpen}
                      onClick={() => onOpen(isOpen ? undefined : event.position)}
                    >
                      <What event={event} />
                    </button>
                    {broken && <span className="i3"> not vouched for</span>}
                  </td>
                  <td className="i2">
                    <span className="two-lines" title={event.reason}>
                      {tidy(event.reason ?? '')}
                    </span>
                  </td>
                </tr>
                {isOpen && <Evidence event={event} />}
              </Fragment>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** One is signed within a second of every change; the newest and then one of every ten entries say enough. */
function knotsOf(checkpoints: readonly Checkpoint[]): readonly Checkpoint[] {
  let last = Number.POSITIVE_INFINITY;
  return checkpoints.filter(({ size }) => {
    const shown = size <= last - 10 || last === Number.POSITIVE_INFINITY;
    if (shown) last = size;
    return shown;
  });
}

function What({ event }: { event: LoggedEvent }) {
  const { about, says } = whatHappened(event);
  return (
    <>
      <b className="m">{about}</b> {says}
    </>
  );
}

type Proof = {
  readonly leaf: string;
  readonly root: string;
  readonly size: number;
  readonly hashes: readonly string[];
};

function Evidence({ event }: { event: LoggedEvent }) {
  const proof = useQuery({
    queryKey: ['proof', event.position],
    queryFn: ({ signal }) => get<Proof>(`/api/v1/audit/entries/${event.position}/proof`, {}, signal),
  });
  return (
    <tr className="exp">
      <td className="seam" />
      <td />
      <td colSpan={5}>
        <div className="panel diff">
          <div>
            <h3>What was written</h3>
            <code>{JSON.stringify(event.data, null, 2)}</code>
          </div>
          <div>
            <h3>Proof that this entry is in the log</h3>
            {proof.data ? (
              <>
                <code>{`leaf  ${shorten(proof.data.leaf)}   ${proof.data.hashes.length} hashes to the root\nroot  ${shorten(proof.data.root)}   size ${count(proof.data.size)}`}</code>
                <a
                  className="link small"
                  href={address(`/api/v1/audit/entries/${event.position}/proof`)}
                  download={`entry-${event.position}-proof.json`}
                >
                  Download the proof
                </a>
              </>
            ) : (
              <p className="i2 small">
                {proof.isError ? proof.error.message : 'It is proved once a checkpoint covers it.'}
              </p>
            )}
          </div>
        </div>
      </td>
    </tr>
  );
}

function matches(event: LoggedEvent, wanted: string): boolean {
  if (wanted === '') return true;
  const text = `${event.type} ${event.subject} ${event.actor} ${event.reason ?? ''} ${sentenceOf(event)}`.toLowerCase();
  return wanted
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

const shorten = (hash: string) => (hash.length > 10 ? `${hash.slice(0, 4)}…${hash.slice(-4)}` : hash);

function time(ms: number): string {
  const date = new Date(ms);
  const clock = date.toTimeString().slice(0, 8);
  return date.toDateString() === new Date().toDateString()
    ? `${clock}.${String(ms % 1000).padStart(3, '0')}`
    : `${date.toLocaleDateString()} ${clock}`;
}
