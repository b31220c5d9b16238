/** Whether a text has anything that Markdown would show otherwise; the parser of it is not loaded for any other. */
export const mayBeMarkdown = (text: string): boolean =>
  /[*_`#[\]~|<>\\]|&#?\w+;|^\s*(?:[-+=]|\d+[.)])|^(?: {4}|\t)|\n\s*\n|https?:|www\.|\S@\S/m.test(text);
