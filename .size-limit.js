import { readFileSync } from 'node:fs';

/** What the browser loads before the first page: the entry, and every chunk that the page names beside it. */
const page = readFileSync(new URL('dist/ui/index.html', import.meta.url), 'utf8');
const named = (suffix) =>
  [...page.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)]
    .map(([, file]) => `dist/ui/${file}`)
    .filter((file) => file.endsWith(suffix));

export default [
  { name: 'initial JavaScript', path: named('.js'), limit: '220 kB', gzip: true },
  { name: 'styles', path: named('.css'), limit: '45 kB', gzip: true },
];
