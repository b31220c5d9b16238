/** What answers tell of an ONNX file, as schemas. */
import { Type } from 'typebox';

export const tensorSpecView = Type.Object(
  {
    name: Type.String(),
    datatype: Type.String({ description: 'As the Open Inference Protocol names it: FP32, INT64, BYTES' }),
    shape: Type.Immutable(Type.Array(Type.Integer(), { description: '-1 is a free size' })),
  },
  { title: 'TensorSpec' },
);

export const findingView = Type.Object(
  {
    code: Type.String({ description: '`onnx/<what>`, stable' }),
    severity: Type.Enum(['refuse', 'warn', 'note'], { description: '`refuse` keeps a version from serving' }),
    message: Type.String(),
    fix: Type.Optional(Type.String({ description: 'What to do about it' })),
  },
  { title: 'Finding' },
);
