/** What people wrote in Markdown, above all those who mean harm. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markdownTree, type Piece } from '../../ui/src/parts/markdown/markdown-tree.ts';
import { mayBeMarkdown } from '../../ui/src/parts/markdown/may-be-markdown.ts';

/** As a browser would write the elements. */
const shown = (text: string, under: 1 | 2 = 1) => markdownTree(text, { under }).map(written).join('');
const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
function written(piece: Piece): string {
  if (typeof piece === 'string') return escaped(piece);
  const attributes = Object.entries(piece.attributes ?? {}).map(
    ([name, value]) =>
      ` ${name === 'className' ? 'class' : name}="${escaped(typeof value === 'object' ? JSON.stringify(value) : String(value))}"`,
  );
  const inside = piece.inside.map(written).join('');
  const isVoid = ['br', 'hr', 'input'].includes(piece.tag);
  return `<${piece.tag}${attributes.join('')}>${inside}${isVoid ? '' : `</${piece.tag}>`}`;
}
const away = (href: string, says: string) =>
  `<a class="link" href="${href}" target="_blank" rel="noopener noreferrer nofollow">${says}</a>`;

test('a link leads to a page or a mailbox, or is no link', () => {
  assert.equal(shown('[page](https://a.test/x?y=1&amp;z=2)'), `<p>${away('https://a.test/x?y=1&amp;z=2', 'page')}</p>`);
  assert.equal(shown('[mail](mailto:a@b.test)'), `<p>${away('mailto:a@b.test', 'mail')}</p>`);
  for (const href of [
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    '<java\tscript:alert(1)>',
    '&#106;avascript:alert(1)',
    'javascript&colon;alert(1)',
    '&#x1;javascript:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:x',
    'file:///etc/passwd',
    'blob:https://a.test/1',
    '//a.test',
    '/api/v1/logout',
    '#top',
  ]) {
    assert.equal(shown(`[says](${href})`), '<p>says</p>', href);
    assert.equal(shown(`![says](${href})`), '<p>says</p>', href);
    assert.equal(shown(`[says][it]\n\n[it]: ${href}`), '<p>says</p>', href);
  }
  assert.doesNotMatch(shown('<javascript:alert(1)> <data:text/html,x>'), /<a/);
});

test('addresses are links as they were typed', () => {
  assert.equal(
    shown('https://a.test/?b=1&copy=2, <mailto:a@b.test> and a@b.test'),
    `<p>${away('https://a.test/?b=1&amp;copy=2', 'https://a.test/?b=1&amp;copy=2')}, ${away('mailto:a@b.test', 'mailto:a@b.test')} and ${away('mailto:a@b.test', 'a@b.test')}</p>`,
  );
});

test('an image is a link, and part of the link that it stands in', () => {
  assert.equal(shown('![a *plot*](https://a.test/plot.png)'), `<p>${away('https://a.test/plot.png', 'a *plot*')}</p>`);
  assert.equal(shown('![](https://a.test/p.png)'), `<p>${away('https://a.test/p.png', 'https://a.test/p.png')}</p>`);
  assert.equal(
    shown('[![build](https://a.test/b.svg)](https://b.test/)'),
    `<p>${away('https://b.test/', 'build')}</p>`,
  );
});

test('HTML is shown as it was typed', () => {
  for (const html of [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '<svg onload=alert(1)>',
    '<iframe src="javascript:alert(1)"></iframe>',
    '<a href="javascript:alert(1)">x</a>',
    '<style>body { display: none }</style>',
    '<!-- x --><b onclick=alert(1)>x</b>',
    '&lt;script&gt;alert(1)&lt;/script&gt;',
    '&#60;script>alert(1)&#x3c;/script>',
    '`<script>alert(1)</script>`',
    '```html\n<script>alert(1)</script>\n```',
    '```"onfocus="alert(1)\nx\n```',
    '| <img src=x onerror=alert(1)> |\n|---|\n| <script>alert(1)</script> |',
    '# <img src=x onerror=alert(1)>',
    '- <script>alert(1)</script>',
    '[<img src=x onerror=alert(1)>](https://a.test)',
    '[x](https://a.test/"onfocus="alert(1))',
    '![" onerror="alert(1)](https://a.test/x)',
  ]) {
    for (const text of [html, `before ${html} after`, `> ${html}`]) {
      const tags = [...shown(text).matchAll(/<([a-z]\w*)([^>]*)>/g)];
      for (const [, tag = '', attributes = ''] of tags) {
        assert.match(tag, /^(?:p|a|br|code|pre|blockquote|h2|ul|li|section|table|thead|tbody|tr|th|td)$/, text);
        assert.doesNotMatch(attributes.replace(/"[^"]*"/g, ''), /on\w+|src/, text);
      }
    }
  }
  assert.equal(shown('<script>alert(1)</script>'), '<p class="typed">&lt;script>alert(1)&lt;/script></p>');
  assert.equal(shown('5 &lt; 6 &amp; 7<br>x &unknown; &#0;'), '<p>5 &lt; 6 &amp; 7<br>x &amp;unknown; \ufffd</p>');
});

test('headings begin below the one that the text stands under, whatever they are', () => {
  assert.equal(shown('# a\n\n## b'), '<h2>a</h2><h3>b</h3>');
  assert.equal(shown('### a\n\n###### b', 2), '<h3>a</h3><h6>b</h6>');
  assert.equal(shown('## a\n\n> # b'), '<h2>a</h2><blockquote><h2>b</h2></blockquote>');
});

test('tables, tasks, code and the ends of lines are what GitHub makes of them', () => {
  assert.match(
    shown('|a|b|\n|:-|-:|\n|x|`1`|'),
    /<table><thead><tr><th>a<\/th><th style="[^"]*right[^"]*">b<\/th><\/tr><\/thead><tbody><tr><td>x<\/td><td style="[^"]*right[^"]*"><code>1<\/code>/,
  );
  assert.match(
    shown('- [x] one\n- [ ] two'),
    /^<ul><li class="task"><input .*checked="true"[^>]*>one<\/li><li class="task">/,
  );
  assert.equal(shown('3. a\n4. b'), '<ol start="3"><li>a</li><li>b</li></ol>');
  assert.match(shown('```py\na  <b>\n```'), /<pre [^>]*><code>a {2}&lt;b><\/code><\/pre>/);
  assert.equal(shown('one\ntwo **three** ~~four~~'), '<p>one<br>two <strong>three</strong> <del>four</del></p>');
});

test('what is nested without end, or without measure long, is shown as it was typed', () => {
  for (const text of ['>'.repeat(8000), `${'- '.repeat(4000)}a`, `${'> '.repeat(400)}a`, '*a '.repeat(20_000)]) {
    const html = shown(text);
    assert.ok(html.length > text.length - 100);
    assert.ok((html.match(/<blockquote>|<ul>/g) ?? []).length < 20);
  }
});

test('the parser is loaded for texts that have anything of Markdown', () => {
  for (const text of [
    'Twice what comes in.',
    'First, second; 3 of 4 (or so): all is well!',
    'a line\nand another - of two',
  ])
    assert.equal(mayBeMarkdown(text), false, text);
  for (const text of [
    ...['# a', '*a*', '`a`', '- a', '1. a', 'a\n\nb', '> a', '[a](b)', 'see https://a.test', 'www.a.test', 'a@b.test'],
    ...['a\n===', 'a\n---', '    code', '|a|', '~~a~~', 'a &amp; b', 'a\\*'],
  ])
    assert.equal(mayBeMarkdown(text), true, text);
});
