/** Settings: who is told of what happens here, did it arrive, and what can still be brought back? */
import './settings/settings.css';
import { useServer } from '../data/counts.ts';
import { useIsAdmin } from '../data/me.ts';
import { useTrash } from '../data/trash.ts';
import { useWebhooks } from '../data/webhooks.ts';
import { count } from '../format.ts';
import { Copy } from '../parts/copy.tsx';
import { PageHead, SectionHead } from '../parts/page-head.tsx';
import { Deliveries } from './settings/deliveries.tsx';
import { Trash } from './settings/trash.tsx';
import { Webhooks } from './settings/webhooks.tsx';

export function SettingsPage() {
  const isAdmin = useIsAdmin();
  const webhooks = useWebhooks(isAdmin).data?.items ?? [];
  const trash = useTrash(undefined).data?.pages;
  const failing = webhooks.filter(({ state, failures }) => state === 'paused' || failures > 0);
  const deleted = trash?.reduce((sum, { items }) => sum + items.length, 0) ?? 0;
  const more = trash?.at(-1)?.next === undefined ? '' : 'at least ';
  const title =
    failing.length > 0
      ? `${failing.map(({ name }) => name).join(', ')} ${failing.length === 1 ? 'does' : 'do'} not take what is sent`
      : webhooks.length > 0
        ? `${count(webhooks.length)} ${webhooks.length === 1 ? 'webhook takes' : 'webhooks take'} all that is sent`
        : 'Nobody is told of what happens here';
  return (
    <>
      <PageHead title={isAdmin ? title : `${more}${count(deleted)} in the trash`}>
        {isAdmin &&
          webhooks.length === 0 &&
          'A webhook is told of runs, versions, rollouts and alerts as they happen. '}
        {isAdmin && `${more}${count(deleted)} ${deleted === 1 ? 'thing is' : 'things are'} in the trash.`}
      </PageHead>
      <div className="cols two">
        <section>
          {isAdmin && <Webhooks />}
          {isAdmin && <Deliveries />}
          <Trash />
        </section>
        <aside>
          <Address />
        </aside>
      </div>
    </>
  );
}

/** What people write into their programs to reach this server. */
function Address() {
  const server = useServer().data;
  const address = new URL('./', document.baseURI).toString().replace(/\/$/, '');
  return (
    <>
      <SectionHead title="This server" />
      <dl className="facts">
        <dt>Version</dt>
        <dd>{server?.version}</dd>
        <dt>Data</dt>
        <dd className="mono path">{server?.folder ?? 'in a database'}</dd>
      </dl>
      <p className="small i2 copy-says">For MLflow’s clients</p>
      <Copy label="the variable for MLflow’s clients" text={`export MLFLOW_TRACKING_URI=${address}`} />
      <p className="small i2 copy-says">For the commands</p>
      <Copy label="the variable for the commands" text={`export RONDO_URL=${address}`} />
    </>
  );
}
