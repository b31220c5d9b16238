/** The messages of the Open Inference Protocol, version 2, as schemas. The routes read requests themselves: they check more than these say. */
import { Type } from 'typebox';
import { list } from '../http/view.ts';
import { tensorSpecView } from '../onnx/onnx-view.ts';
import { roles } from './prediction.ts';
import { datatypes } from './tensor.ts';

const parameters = Type.Optional(
  Type.Record(Type.String(), Type.Unknown(), { description: 'As the protocol has them, for binary data' }),
);
const tensor = {
  name: Type.String(),
  shape: list(Type.Integer()),
  datatype: Type.Enum(Object.keys(datatypes)),
};
const data = list(Type.Unknown(), { description: 'Row-major: numbers, booleans, or texts for BYTES' });

export const inferRequest = Type.Object(
  {
    id: Type.Optional(Type.String()),
    inputs: list(
      Type.Object({
        ...tensor,
        datatype: Type.Optional(tensor.datatype),
        data: Type.Optional(Type.Array(Type.Unknown(), { description: 'Flat or nested; absent in binary requests' })),
        parameters,
      }),
      { description: 'One tensor an input of the model, the first of whose sizes is the number of rows' },
    ),
    outputs: Type.Optional(
      list(Type.Object({ name: Type.String(), parameters }), { description: 'Which to return; all when absent' }),
    ),
    parameters,
  },
  { title: 'InferRequest' },
);

export const inferAnswerView = Type.Object(
  {
    model_name: Type.String({ description: 'The endpoint' }),
    model_version: Type.String({ description: 'The version that answered' }),
    id: Type.String({ description: 'Of the request, or one that was made for it' }),
    parameters: Type.Object({
      variant: Type.Enum([...roles], { description: 'The role of the version that answered' }),
      prediction_ids: Type.String({ description: 'Of each row, with commas between' }),
    }),
    outputs: list(Type.Object({ ...tensor, data })),
  },
  { title: 'InferAnswer' },
);

export const modelMetadataView = Type.Object(
  {
    name: Type.String(),
    versions: list(Type.String(), { description: 'Those that are loaded' }),
    platform: Type.String(),
    inputs: list(tensorSpecView),
    outputs: list(tensorSpecView),
  },
  { title: 'ModelMetadata' },
);

export const serverMetadataView = Type.Object({
  name: Type.String(),
  version: Type.String(),
  extensions: list(Type.String()),
});

export const inferErrorView = Type.Object({ error: Type.String() }, { title: 'InferError' });
