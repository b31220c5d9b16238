/** A project: a folder with a rondo.yaml that the operator linked to this server. Only linked folders' commands ever run. */

export type LinkedProject = {
  readonly name: string;
  /** Absolute, on the server's machine. */
  readonly folder: string;
  /** The text of its rondo.yaml as it was last read. */
  readonly file: string;
  /** sha256 of the text. */
  readonly digest: string;
  readonly linkedAt: number;
  readonly changedAt: number;
};

export const projectFileName = 'rondo.yaml';
export const projectSubject = (name: string): string => `project/${name}`;
