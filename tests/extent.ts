/** How much of the long proofs runs: in `npm test` a part that takes minutes, in `npm run prove` all of it. */
import { currentClients, everyClient } from './clients/python-env.ts';

const isProof = process.env['RONDO_PROVE'] === '1';

export const extent = {
  /** Those of MLflow. */
  clients: (isProof ? everyClient : currentClients).filter((name) => name !== 'triton'),
  databases: isProof ? (['sqlite', 'postgres'] as const) : (['sqlite'] as const),
  /** Random calls to MLflow's server and to ours, after the fixed list. */
  randomCalls: isProof ? 2000 : 300,
  /** How often the server is killed while runs are logged, on each database. */
  kills: isProof ? 200 : 20,
};
