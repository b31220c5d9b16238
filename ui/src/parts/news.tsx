/** What changed, newest first: when, what it happened to, and what. */
import { type LoggedEvent, whatHappened } from '../data/event.ts';
import { moment, recently } from '../format.ts';

export function News({ events }: { events: readonly LoggedEvent[] }) {
  return (
    <ul className="log">
      {events.map((event) => {
        const { about, says } = whatHappened(event);
        return (
          <li key={event.position} title={event.reason}>
            <time title={`Recorded ${recently(event.at)}`}>
              {event.endpointTime === undefined ? recently(event.at) : moment(event.endpointTime)}
            </time>
            <span>
              <b className="m">{about}</b> {says}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
