/** Something the inspection of a file noticed. */
export type Finding = {
  /** `onnx/<what>`, stable: policies name it. */
  readonly code: string;
  /** `refuse` keeps the version from serving. */
  readonly severity: 'refuse' | 'warn' | 'note';
  readonly message: string;
  /** What to do about it, as a person would type it. */
  readonly fix?: string;
};

export const refuse = (code: string, message: string, fix?: string): Finding => ({
  code,
  severity: 'refuse',
  message,
  ...(fix !== undefined && { fix }),
});

export const warn = (code: string, message: string, fix?: string): Finding => ({
  ...refuse(code, message, fix),
  severity: 'warn',
});

/** Names come from the file: long ones and control characters must not reach a terminal or a page. */
export function shown(name: string): string {
  const clean = name.replace(/\p{Cc}/gu, '\u{fffd}');
  return clean.length > 120 ? `${clean.slice(0, 117)}…` : clean;
}
