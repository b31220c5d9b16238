/** Version: may this go live, and on what grounds? */
import './model/model.css';
import { Link, useParams } from '@tanstack/react-router';
import { Fragment } from 'react';
import { useApprovals } from '../data/approvals.ts';
import { sharesOf, useEndpoints, type VersionRef } from '../data/endpoints.ts';
import { whoActed } from '../data/event.ts';
import { useMayWrite } from '../data/me.ts';
import { formatOf, sizeOf } from '../data/model-format.ts';
import {
  countsAs,
  type GateReport,
  type GateTest,
  ownTags,
  stages,
  type TensorSpec,
  useChangeModel,
  useGates,
  useModel,
  useVersion,
  type Version,
  type Writing,
} from '../data/models.ts';
import { isOver, useRollouts } from '../data/rollouts.ts';
import { useRun } from '../data/runs.ts';
import { count, fixed, milliseconds, percent, recently, shortDigest, tidy } from '../format.ts';
import { Copy } from '../parts/copy.tsx';
import { Described } from '../parts/described.tsx';
import { ForestBar, type ForestRow } from '../parts/forest.tsx';
import { PageHead, SectionHead } from '../parts/page-head.tsx';
import { SliceDots } from '../parts/slice-dots.tsx';
import { Failed, Loaded, Loading, Nothing } from '../parts/states.tsx';
import { markOf, Verdict } from '../parts/verdict.tsx';
import { VersionTag } from '../parts/version-tag.tsx';
import { useUnsealed } from './model/unsealed.ts';
import { sayTensor } from './run/preview.tsx';
import { size } from './run/size.ts';

export function VersionPage() {
  const { model = '', version: text = '' } = useParams({ strict: false });
  const version = Number(text);
  const query = useVersion({ model, version });
  return (
    <Loaded query={query} what={`version ${text} of ${model}`}>
      {(data) => <VersionView version={data} model={model} />}
    </Loaded>
  );
}

function VersionView({ version, model }: { version: Version; model: string }) {
  const gates = useGates({ model, version: version.version });
  const rollout = (useRollouts().data?.items ?? []).find(
    (one) => one.challenger.model === model && one.challenger.version === version.version,
  );
  const running = rollout && !isOver(rollout.state);
  const report = gates.data ?? undefined;
  const is = (ref: VersionRef | undefined) => ref?.model === model && ref.version === version.version;
  const endpoint = (useEndpoints().data?.items ?? []).find(
    ({ champion, rollout: tried }) => is(champion) || is(tried?.challenger),
  );
  const share = endpoint && sharesOf(endpoint).find(({ ref }) => is(ref))?.share;
  const against = useVersion(report?.against).data;
  const isKept = useUnsealed(version)?.isOnnx === false;
  return (
    <>
      <PageHead
        title={isKept ? `v${version.version} is no ONNX model: it is kept, not served` : headline(version, report)}
        actions={
          <>
            {version.runId && against?.runId && against.runId !== version.runId && (
              <Link
                className="btn"
                to="/compare"
                search={{ runs: `${version.runId},${against.runId}` } as never} // The compare page's own view state.
              >
                Compare with v{against.version}
              </Link>
            )}
            {rollout && (
              <Link className={running ? 'btn primary' : 'btn'} to="/rollouts/$id" params={{ id: rollout.id }}>
                {running ? 'Open rollout' : 'See its rollout'}
              </Link>
            )}
          </>
        }
      >
        {isKept ? 'It is loaded by its name from Python, as its author logged it.' : grounds(report)}
        {share !== undefined && ` It serves ${percent(share)} of ${endpoint?.name} now.`}
      </PageHead>
      <VersionLine model={model} current={version.version} />
      <div className="cols version-page">
        <section>
          {gates.isPending ? (
            <Loading what="its gates" />
          ) : report ? (
            <Gates report={report} />
          ) : !gates.isSuccess ? (
            <Failed what="its gates" error={gates.error} retry={() => void gates.refetch()} />
          ) : isKept ? (
            <Nothing title="It has no gates">
              To serve it, log it as ONNX and register that.
              <Copy
                label="the call that logs it"
                text={`mlflow.onnx.log_model(onnx_model, name="model", registered_model_name="${model}")`}
              />
            </Nothing>
          ) : (
            <Nothing title="Its gates have not run">
              They run when it is shipped.
              <Copy label="the command that ships it" text={`rondo ship ${model}@${version.version}`} />
            </Nothing>
          )}
          <Consent model={model} version={version.version} />
        </section>
        <aside>
          <MadeFrom version={version} />
          <Signature version={version} />
          <Written version={version} model={model} />
        </aside>
      </div>
    </>
  );
}

function headline(version: Version, report: GateReport | undefined): string {
  const name = `v${version.version}`;
  if (version.sealed?.findings.some((finding) => finding.severity === 'refuse')) return `${name} cannot be served`;
  if (!report) return `${name} has not been tested`;
  const counted = report.tests.filter((test) => test.applies);
  const passed = counted.filter((test) => countsAs(test) === 'pass').length;
  const of = `${passed} of ${counted.length} gates pass`;
  if (report.outcome === 'pass') return `${name} may go live: ${of}`;
  return report.outcome === 'fail' ? `${name} may not go live: ${of}` : `${name} is undecided: ${of}`;
}

function grounds(report: GateReport | undefined) {
  if (!report) return 'A version goes live through its gates, a shadow and a guarded ramp.';
  const bad = report.tests.filter((test) => test.applies && countsAs(test) !== 'pass');
  if (bad.length > 0) return bad.map((test) => sentence(test.verdict.reason)).join(' ');
  const paired = report.tests.filter(({ kind, applies }) => kind === 'paired' && applies);
  // A score says more to people than a loss.
  const told = paired.find(({ verdict }) => (verdict.threshold ?? 0) < 0) ?? paired[0];
  const small = report.tests.flatMap(({ slices = [] }) => slices).filter(({ outcome }) => outcome === 'small').length;
  const unjudged = small > 0 && ` ${count(small)} small ${small === 1 ? 'slice' : 'slices'} could not be judged.`;
  if (!told || !report.against || told.verdict.value === undefined) return <>Every test holds.{unjudged}</>;
  const { value, n } = told.verdict;
  const metric = sayTest(told).replace(/ (against|not worse than).*/, '');
  const gap = Math.abs(value) < 0.0005 ? 'equal to' : `${fixed(Math.abs(value), 3)} ${value > 0 ? 'above' : 'below'}`;
  return (
    <>
      Its {metric === 'AUC' ? metric : metric.toLowerCase()} is{' '}
      <b>
        {gap} v{report.against.version}, the champion then
      </b>
      , on the same {count(n)} rows.{unjudged}
    </>
  );
}

function VersionLine({ model, current }: { model: string; current: number }) {
  const versions = useModel(model).data?.versions ?? [];
  const endpoint = (useEndpoints().data?.items ?? []).find((one) => one.champion?.model === model);
  return (
    <ol className="version-line">
      {[...versions]
        .sort((a, b) => a.version - b.version)
        .slice(-7)
        .map(({ version, phase }) => {
          const live = endpoint?.champion?.version === version;
          const tried = endpoint?.rollout?.challenger.version === version;
          const share = endpoint?.rollout?.stage === 'canary' ? endpoint.rollout.share : 0;
          const label = live
            ? `champion, ${percent(1 - share)}`
            : tried
              ? share > 0
                ? `challenger, ${percent(share)}`
                : 'challenger, in shadow'
              : phase;
          return (
            <li key={version} {...(version === current ? { 'aria-current': 'page' as const } : {})}>
              <Link to="/models/$model/$version" params={{ model, version: String(version) }}>
                <VersionTag
                  version={version}
                  standing={live ? 'champion' : tried ? 'challenger' : 'other'}
                  label={label}
                />
              </Link>
            </li>
          );
        })}
    </ol>
  );
}

function Gates({ report }: { report: GateReport }) {
  // Of other tests the slices are compared with each other, not each with the limit.
  const sliced = report.tests.filter((test) => test.kind === 'floor' && (test.slices?.length ?? 0) > 0);
  return (
    <>
      <div className="wide">
        <table className="gates">
          <thead>
            <tr>
              <th>Verdict</th>
              <th>Gate</th>
              <th>
                <span className="limit-word">limit</span>
                <span className="seen-only-by-readers">, better to the right, scale per row</span>
              </th>
              <th className="num">Value</th>
              <th className="num">Limit</th>
              <th className="num">Rows</th>
            </tr>
          </thead>
          <tbody>
            {report.tests.map((test) => (
              <tr key={test.test} className={test.applies ? '' : 'spare'}>
                <td className="nowrap">
                  <GateVerdict test={test} />
                </td>
                <td>
                  <b className="m">{sayTest(test, report.against)}</b>
                  <br />
                  <span className="micro i3 method" title={`${test.verdict.reason}. ${test.verdict.method}`}>
                    {sayMethod(test)}
                  </span>
                </td>
                <td className="forest">
                  <ForestBar row={forestRow(test)} label={`${test.test}: ${test.verdict.reason}`} />
                </td>
                <td className="num">{write(test, test.verdict.value)}</td>
                <td className="num i2">{sayLimit(test)}</td>
                <td className="num">{count(test.verdict.n)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {sliced.map((test) => (
        <SliceDots key={test.test} title={sayTest(test)} test={test} />
      ))}
    </>
  );
}

function GateVerdict({ test }: { test: GateTest }) {
  const counts = countsAs(test);
  if (counts === 'not needed') return <span className="i3">not needed</span>;
  const { outcome } = test.verdict;
  return (
    <Verdict mark={markOf(outcome)}>
      {outcome === 'inconclusive' ? (counts === 'pass' ? 'allowed' : 'undecided') : isBetter(test) ? 'better' : outcome}
    </Verdict>
  );
}

/** A comparison whose whole interval is on the good side of no difference. */
function isBetter({ kind, verdict: { outcome, lower, upper, threshold = 0 } }: GateTest): boolean {
  if (kind !== 'paired' || outcome !== 'pass') return false;
  return threshold < 0 ? lower !== undefined && lower > 0 : upper !== undefined && upper < 0;
}

/** How it was judged, without what is the same in every row. */
function sayMethod({ kind, verdict: { method }, slices = [] }: GateTest): string {
  const small = slices.filter(({ outcome }) => outcome === 'small').length;
  const worst = (kind === 'fairness' ? [] : slices)
    .filter(({ outcome, value }) => outcome !== 'small' && value !== undefined)
    .toSorted((a, b) => (a.value ?? 0) - (b.value ?? 0))[0];
  if (worst) return `worst: ${worst.slice}${small > 0 ? `; ${count(small)} too small to judge` : ''}`;
  return method
    .replace(/,? one-sided 95 % bounds?/, '')
    .replace('mean of rows, paired', 'paired')
    .replace(/, score ≥ ([\d.]+), Newcombe/, ', score from $1')
    .replace(/, batch \d+, the model alone on one thread/, ', one thread');
}

/** `auc at least 0.6` reads "AUC at least 0.6". */
const sayTest = ({ test }: GateTest, against?: VersionRef): string => {
  // The limit has a column of its own.
  const words = test
    .replace(/ not worse than champion/, against ? ` against v${against.version}` : ' not worse than champion')
    .replace('_difference by', ' by')
    .replace(/:? ?\b(at least|at most|by more than|below) [\d.]+( %| ms)?/, '')
    .replace(/ to [\d.e-]+$/, '')
    .replace(/\bauc\b/g, 'AUC')
    .replace(/\blog_loss\b/g, 'log loss')
    .replace(/\b([a-z]+_[a-z_]+)\b/g, (name) => name.replaceAll('_', ' '));
  return words.charAt(0).toUpperCase() + words.slice(1);
};

const sentence = (reason: string): string => `${tidy(reason)}${reason.endsWith('.') ? '' : '.'}`;

function write({ kind }: GateTest, value: number | undefined): string {
  if (value === undefined) return 'none';
  if (kind === 'latency') return milliseconds(value);
  if (kind === 'paired') return fixed(value, Math.abs(value) < 0.0005 ? 4 : 3);
  return kind === 'data' ? percent(value, 1) : short(value);
}

/** Which side of the limit is inside follows from the kind of test. */
function sayLimit(test: GateTest): string {
  const { threshold } = test.verdict;
  if (threshold === undefined) return 'none';
  return `${insideOf(test) > 0 ? 'min' : 'max'} ${write(test, threshold)}`;
}

/**
 * Every gate in units of its own room, from the limit to what is as good as it gets: the limit at 0, inside to the right, whichever
 * way the metric runs. A score's best is 1, a ceiling's 0, a comparison's no difference.
 */
function forestRow(test: GateTest): ForestRow {
  const { verdict } = test;
  const mark = markOf(verdict.outcome);
  const { value, threshold } = verdict;
  if (value === undefined || threshold === undefined)
    return { value: undefined, lower: undefined, upper: undefined, mark };
  const inside = insideOf(test);
  const isScore = (test.kind === 'floor' || test.kind === 'data') && threshold > 0 && threshold < 1;
  const room = isScore ? 1 - threshold : Math.abs(threshold) || 1;
  const scale = (x: number | undefined) => (x === undefined ? undefined : ((x - threshold) * inside * 0.8) / room);
  const ends = [scale(verdict.lower), scale(verdict.upper)].filter((end) => end !== undefined).sort((a, b) => a - b);
  return { value: scale(value), lower: ends[0], upper: ends.at(-1), mark };
}

/** 1 where greater is better. A loss not worse by a margin has its limit above 0, a score its limit below. */
function insideOf({ kind, verdict: { threshold = 0 } }: GateTest): 1 | -1 {
  if (kind === 'floor' || kind === 'data') return 1;
  return kind === 'paired' && threshold < 0 ? 1 : -1;
}

const short = (value: number | undefined): string => {
  if (value === undefined) return 'none';
  if (value !== 0 && Math.abs(value) < 0.0005) return value.toExponential(0).replace('-', '−');
  return (
    Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(3)
  ).replace('-', '−');
};

function MadeFrom({ version }: { version: Version }) {
  const { lineage, sealed } = version;
  const unsealed = useUnsealed(version);
  const format = unsealed?.format ?? formatOf(version);
  const run = useRun(version.runId).data;
  const onnx = sealed?.files.find(({ digest }) => digest === sealed.onnxDigest);
  return (
    <>
      <SectionHead title="Made from" />
      <ol className="made">
        <li>
          <b className="m">
            {lineage.datasets.map((dataset) => `${dataset.name}@${dataset.version}`).join(' and ') ||
              'No dataset was named'}
          </b>
        </li>
        <li>
          {lineage.code ? (
            <>
              Code <code>{shortDigest(lineage.code)}</code>
              {lineage.seed !== undefined && `, seed ${lineage.seed}`}
            </>
          ) : (
            'No code was recorded'
          )}
        </li>
        <li>
          {version.runId ? (
            <>
              Run{' '}
              <Link className="link" to="/runs/$run" params={{ run: version.runId }}>
                {run?.name ?? version.runId.slice(0, 8)}
              </Link>
            </>
          ) : (
            'No run was named'
          )}
        </li>
        <li className="end">
          {onnx ? (
            <>
              <b className="m">{onnx.path.split('/').at(-1)}</b>, {size(onnx.size)}
              {(sealed?.files.length ?? 0) > 1 &&
                `, with ${count((sealed?.files.length ?? 1) - 1)} more ${sealed?.files.length === 2 ? 'file' : 'files'}`}
              <br />
              <Verdict mark={format.mark}>{format.says}</Verdict>
              <br />
              <code>sha256 {shortDigest(onnx.digest)}</code>
            </>
          ) : (
            <>
              {(sealed ?? unsealed) && (
                <>
                  {count(sealed?.files.length ?? unsealed?.files ?? 0)} files,{' '}
                  {size(sizeOf(version) ?? unsealed?.size ?? 0)}
                  {unsealed?.hasFolders && ', and folders'}
                  <br />
                </>
              )}
              <Verdict mark={format.mark}>{format.says}</Verdict>
            </>
          )}
        </li>
      </ol>
      {(sealed?.findings ?? []).map((finding) => (
        <p key={`${finding.code} ${finding.message}`} className="small i2">
          <Verdict mark={finding.severity === 'refuse' ? 'fail' : finding.severity === 'warn' ? 'warn' : 'undecided'}>
            {finding.message}
          </Verdict>
          {finding.fix && <code>{finding.fix}</code>}
        </p>
      ))}
    </>
  );
}

/** Who agreed to it, or was asked to. */
function Consent({ model, version }: { model: string; version: number }) {
  const asked = (useApprovals().data?.items ?? []).filter((one) => one.model === model && one.version === version);
  if (asked.length === 0) return null;
  return (
    <section className="below">
      <SectionHead title="Consent" aside="under approvals in rondo.yaml" />
      <ul className="log">
        {asked.map((one) => (
          <li key={one.id}>
            <time>{recently(one.askedAt)}</time>
            <span>
              <Verdict mark={consentMarks[one.state]}>{consentWords[one.state]}</Verdict> for {one.endpoint}, asked by{' '}
              {whoActed(one.requester)}
              {one.consents.map(({ person, decision, reason }) => (
                <Fragment key={person}>
                  ; {whoActed(person)} {decision === 'grant' ? 'agreed' : 'refused'}
                  {reason && <q> {reason}</q>}
                </Fragment>
              ))}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

const consentMarks = { open: 'undecided', granted: 'pass', refused: 'fail', expired: 'warn', used: 'pass' } as const;
const consentWords = {
  open: 'waits for consent',
  granted: 'agreed',
  refused: 'refused',
  expired: 'expired',
  used: 'agreed',
} as const;

/** What people put on it: aliases, stage, description, tags. */
function Written({ version, model }: { version: Version; model: string }) {
  const mayWrite = useMayWrite();
  const change = useChangeModel(model);
  const write = (body: Writing) => change.mutateAsync({ kind: 'write', version: version.version, body });
  return (
    <>
      <SectionHead
        title="Labels"
        aside={
          <Link className="link" to="/models/$model" params={{ model }}>
            {version.aliases.length > 0 ? 'Move aliases' : 'Set an alias'}
          </Link>
        }
      />
      {version.aliases.length > 0 && (
        <p className="stage-line">
          Aliases <span className="alias-tags i2">{version.aliases.map((alias) => `@${alias}`).join(', ')}</span>
        </p>
      )}
      <p className="stage-line">
        Stage
        {mayWrite ? (
          <select
            aria-label="Stage"
            value={version.stage}
            disabled={change.isPending}
            onChange={(event) => {
              const stage = stages.find((one) => one === event.currentTarget.value);
              if (stage) write({ stage }).catch(() => undefined); // the reason stands below
            }}
          >
            {stages.map((stage) => (
              <option key={stage} value={stage}>
                {stage === 'None' ? 'none' : stage}
              </option>
            ))}
          </select>
        ) : (
          <span className="i2">{version.stage === 'None' ? 'none' : version.stage}</span>
        )}
      </p>
      <Described
        title="About it"
        description={version.description}
        tags={ownTags(version.tags)}
        mayWrite={mayWrite}
        error={change.error}
        onWrite={write}
      />
    </>
  );
}

function Signature({ version }: { version: Version }) {
  const { sealed } = version;
  const written = useUnsealed(version)?.written;
  const columns = (tensors: readonly TensorSpec[]) => tensors.map((one) => ({ name: one.name, type: sayTensor(one) }));
  const { inputs, outputs } = sealed
    ? { inputs: columns(sealed.inputs), outputs: columns(sealed.outputs) }
    : (written ?? { inputs: [], outputs: [] });
  const rows = [...inputs, ...outputs.map(({ name, type }) => ({ name: `answers ${name}`, type }))];
  if (rows.length === 0) return null;
  return (
    <>
      <SectionHead title="Signature" aside={!sealed && 'as its author wrote it'} />
      <table className="kv">
        <tbody>
          {rows.map(({ name, type }) => (
            <tr key={name}>
              <td className="mono">{name}</td>
              <td className="num i2">{type}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
