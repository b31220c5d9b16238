/** The links that MLflow's clients print when a run ends, `…/#/experiments/0/runs/ab12…`: what they mean here. */

/** @param hash of the address that was opened  @returns the path of our page, without the prefix of a proxy; undefined for any other hash */
export function addressHere(hash: string): string | undefined {
  const [path = ''] = hash.split('?');
  const [root, kind, name, part, id] = path.split('/');
  if (root !== '#') return undefined;
  switch (kind) {
    case 'experiments':
      if (part === 'runs' && id) return `/runs/${id}`;
      return name ? `/experiments/${name}` : '/experiments';
    case 'models':
    case 'prompts':
      if (part === 'versions' && id) return `/models/${name}/${id}`;
      return name ? `/models/${name}` : '/models';
    default:
      return undefined;
  }
}
