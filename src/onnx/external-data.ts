/** Tensors that lie in a file beside the model: the oldest way to make a model read what it must not. @see CVE-2022-25882 and its successors */
import { byteSize } from './element-type.ts';
import { type Finding, refuse, shown } from './finding.ts';
import { elementCount, type Tensor } from './tensor.ts';

const knownKeys = new Set(['location', 'offset', 'length', 'checksum', 'basepath']);
/** onnxruntime takes a location that starts so for an address in its own memory. */
const memoryMarker = '*/_ORT_MEM_ADDR_/*';

/** @param files size by path of the version's own files; a location must be one of them, letter by letter */
export function externalDataFindings(tensor: Tensor, files: ReadonlyMap<string, number>): Finding[] {
  if (!tensor.isExternal) {
    if (tensor.externalData.length === 0) return [];
    return [
      refuse(
        'onnx/external-data',
        `The tensor '${shown(tensor.name)}' names an external file but is stored in the model.`,
      ),
    ];
  }
  const named = `the tensor '${shown(tensor.name)}'`;
  const keys = tensor.externalData.map(([key]) => key);
  const unknown = keys.find((key) => !knownKeys.has(key));
  if (unknown !== undefined)
    return [refuse('onnx/external-data', `The external data of ${named} has the unknown key '${shown(unknown)}'.`)];
  if (new Set(keys).size < keys.length)
    return [refuse('onnx/external-data', `The external data of ${named} gives a key twice.`)];

  const entries = new Map(tensor.externalData);
  const location = entries.get('location') ?? '';
  const place = unsafePlace(location) ?? (entries.get('basepath') ? 'has a base path of its own' : undefined);
  if (place) {
    return [
      refuse(
        'onnx/external-path',
        `The external data of ${named} ${place}: '${shown(location)}'.`,
        'save the model with its data in one file beside it: onnx.save_model(model, "model.onnx", save_as_external_data=True, location="model.onnx.data")',
      ),
    ];
  }
  const size = files.get(location);
  if (size === undefined) {
    return [
      refuse(
        'onnx/external-missing',
        `The external data of ${named} lies in '${shown(location)}', which is not among the files of this version.`,
        'upload the whole folder of the model, or save it with save_as_external_data=False',
      ),
    ];
  }
  const offset = wholeNumber(entries.get('offset') ?? '0');
  const wanted = byteSize(tensor.type, elementCount(tensor.dims));
  const length = entries.has('length') ? wholeNumber(entries.get('length') ?? '') : wanted;
  if (offset === undefined || length === undefined) {
    return [refuse('onnx/external-data', `Offset or length of ${named} is not a whole number.`)];
  }
  if (offset + length > BigInt(size)) {
    return [
      refuse(
        'onnx/external-range',
        `The external data of ${named} ends at byte ${offset + length} of '${location}', which has ${size}.`,
      ),
    ];
  }
  if (wanted !== length) {
    return [
      refuse(
        'onnx/tensor-data',
        `The external data of ${named} has ${length} bytes, its shape needs ${wanted ?? 'strings'}.`,
      ),
    ];
  }
  return [];
}

function unsafePlace(location: string): string | undefined {
  if (location === '') return 'has no location';
  if (location.startsWith(memoryMarker)) return 'points into memory';
  if (/\p{Cc}/u.test(location)) return 'has a control character in its path';
  if (/^[/\\]|^[A-Za-z]:|^[a-z]+:\/\//.test(location)) return 'is an absolute path';
  if (location.includes('\\')) return 'has a backslash in its path';
  if (location.split('/').some((part) => part === '..' || part === '.' || part === ''))
    return 'leaves the folder of the model';
  return undefined;
}

/** Digits only: no sign, no blank, no exponent, and no more than a 64-bit number. */
function wholeNumber(text: string): bigint | undefined {
  return /^\d{1,19}$/.test(text) ? BigInt(text) : undefined;
}
