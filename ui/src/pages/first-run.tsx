/** First run: what do I do now? */
import { useQuery } from '@tanstack/react-query';
import { Navigate } from '@tanstack/react-router';
import { get } from '../data/api.ts';
import { useServer } from '../data/counts.ts';
import { useRuns } from '../data/runs.ts';
import { duration } from '../format.ts';
import { Copy } from '../parts/copy.tsx';
import { PageHead } from '../parts/page-head.tsx';

type Contact = {
  readonly lastContact?: {
    readonly method: string;
    readonly path: string;
    readonly from: string;
    readonly at: number;
    readonly status: number;
  };
};

const turn = [
  'Version January and February, check the data',
  'Train, register, gate, ship v1',
  'Replay March as live traffic',
  'Ramp a better v2 under guard',
  'Force a bad v3, see it rolled back',
  'Drift in April retrains v4',
  'Summary, audit log verified',
];

export function FirstRunPage() {
  const server = useServer().data;
  const runs = useRuns({ limit: 1 });
  const address = new URL('./', document.baseURI).toString().replace(/\/$/, '');
  if ((runs.data?.items.length ?? 0) > 0) return <Navigate to="/runs" />;
  return (
    <>
      <PageHead title="Rondo is running. Send it a first run.">
        Pick the line that fits what you have. Nothing else to install; everything stays in{' '}
        <code>{server?.folder ?? 'the data folder'}</code>.
      </PageHead>
      <div className="cols start">
        <section>
          <Way
            title="You have a training script with mlflow"
            text="Set one variable and run it as it is. Runs, metrics and models appear here."
          >
            <Copy label="the variable" text={`export MLFLOW_TRACKING_URI=${address}\npython train.py`} />
          </Way>
          <Way
            title="You have a project"
            text="Write down its data, pipeline, gates and endpoint once; one command runs it."
          >
            <Copy label="the commands" text={'rondo init\nrondo run'} />
          </Way>
          <Way title="You have a model that is live" text="Ask it something.">
            <Copy label="the request" text={`curl ${address}/v2/models/<endpoint>/infer -d @example.json`} />
          </Way>
          <Waiting />
        </section>
        <aside>
          <div className="panel demo">
            <h2>Or watch one whole turn first</h2>
            <p>Half a year of real US flights in about three minutes, in a folder of its own.</p>
            <Copy label="the demo command" text="npm run demo" />
            <ol className="turn">
              {turn.map((step, index) => (
                <li key={step}>
                  <span className="i3">{index + 1}</span>
                  <span>{step}</span>
                </li>
              ))}
            </ol>
          </div>
        </aside>
      </div>
    </>
  );
}

function Way({ title, text, children }: { title: string; text: string; children: React.ReactNode }) {
  return (
    <div className="way">
      <h2>{title}</h2>
      <p>{text}</p>
      {children}
    </div>
  );
}

/** Shows the last contact received, so that "nothing yet" differs from "never reached". */
function Waiting() {
  const contact = useQuery({
    queryKey: ['contact'],
    queryFn: ({ signal }) => get<Contact>('/api/v1/contact', {}, signal),
    refetchInterval: 2000,
  });
  const last = contact.data?.lastContact;
  return (
    <div className="wait" role="status">
      <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden>
        <g className="spin">
          <path
            d="M14.6 4.4A7.3 7.3 0 1 0 17.3 10"
            fill="none"
            stroke="var(--control-line)"
            strokeWidth="2"
            strokeLinecap="round"
          />
          <circle cx="16.9" cy="6.2" r="1.7" fill="var(--accent)" />
        </g>
      </svg>
      <div>
        <b className="m">Waiting for your first run</b>
        <p className="small">
          This line changes by itself.{' '}
          {last
            ? `Last contact: ${last.method} ${last.path} from ${last.from}, ${duration(Math.max(0, Date.now() - last.at))} ago, answered ${last.status}.`
            : 'No client has reached this server yet.'}
        </p>
      </div>
    </div>
  );
}
