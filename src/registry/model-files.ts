/** The files of a model as MLflow lays them out, and which of them can be served. */
import { parse } from 'yaml';
import type { Finding } from '../onnx/finding.ts';

type Files = readonly { readonly path: string }[];

/** What `MLmodel` says about the flavors of a model. @param text undefined when there is no such file */
export function readFlavors(text: string | undefined): Readonly<Record<string, unknown>> {
  if (text === undefined) return {};
  const document: unknown = readYaml(text);
  const flavors = memberOf(document, 'flavors');
  return typeof flavors === 'object' && flavors !== null ? { ...flavors } : {};
}

/** The path of the ONNX file, or the finding that says why there is none to serve. */
export function findOnnx(
  files: Files,
  flavors: Readonly<Record<string, unknown>>,
): { path: string } | { finding: Finding } {
  const paths = files.map(({ path }) => path);
  const named = memberOf(flavors.onnx, 'data');
  if (typeof named === 'string') {
    const inside = paths.filter((path) => path === named || (path.startsWith(`${named}/`) && path.endsWith('.onnx')));
    if (inside[0] !== undefined) return { path: inside[0] };
    return {
      finding: {
        code: 'registry/file-missing',
        severity: 'refuse',
        message: `MLmodel names ${named}, and there is no such file.`,
        fix: 'log the model again: its upload broke off',
      },
    };
  }
  const found = paths.filter((path) => path.toLowerCase().endsWith('.onnx'));
  if (found.length === 1 && found[0] !== undefined) return { path: found[0] };
  if (found.length > 1) {
    return {
      finding: {
        code: 'registry/several-models',
        severity: 'refuse',
        message: `There are ${found.length} ONNX files: ${found.slice(0, 5).join(', ')}.`,
        fix: 'register the one to serve, or log it with mlflow.onnx.log_model',
      },
    };
  }
  return { finding: noOnnx(paths, flavors) };
}

/** Formats that run code of their own when they are loaded, or need Python to run. */
const pythonFormats: readonly (readonly [RegExp, string])[] = [
  [/\.(?:pkl|pickle)$/i, 'a pickle'],
  [/\.joblib$/i, 'a joblib file'],
  [/\.skops$/i, 'a skops file'],
];

function noOnnx(paths: readonly string[], flavors: Readonly<Record<string, unknown>>): Finding {
  const format = pythonFormats.find(([pattern]) => paths.some((path) => pattern.test(path)))?.[1];
  const flavor = Object.keys(flavors).find((name) => name !== 'python_function');
  const what = format ?? (flavor ? `a ${flavor} model` : 'no model');
  return {
    code: 'registry/not-onnx',
    severity: 'refuse',
    message:
      paths.length === 0
        ? 'The version has no files.'
        : `The version holds ${what} and no ONNX file: Python's formats run code when they are loaded, so they are kept, not served.`,
    fix: exports[flavor ?? 'sklearn'] ?? exports.sklearn ?? '',
  };
}

/** How each library writes ONNX, as a line to paste behind the training code. */
const exports: Readonly<Record<string, string>> = {
  sklearn:
    "mlflow.onnx.log_model(skl2onnx.to_onnx(model, X[:1], options={id(model): {'zipmap': False}}), name='model')",
  xgboost:
    "mlflow.onnx.log_model(onnxmltools.convert_xgboost(model, initial_types=[('input', FloatTensorType([None, X.shape[1]]))]), name='model')",
  lightgbm:
    "mlflow.onnx.log_model(onnxmltools.convert_lightgbm(model, initial_types=[('input', FloatTensorType([None, X.shape[1]]))], zipmap=False), name='model')",
  pytorch: "torch.onnx.export(model, example, 'model.onnx', dynamo=True)",
};

function readYaml(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined; // an MLmodel that is no YAML says nothing; the files speak for themselves
  }
}

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && name in value ? (value as Record<string, unknown>)[name] : undefined;
