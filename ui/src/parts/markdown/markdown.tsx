/** What people wrote in Markdown, as notes of runs and descriptions are in MLflow. Until the parser is there, and without it, as they typed it. */
import './markdown.css';
import { useQuery } from '@tanstack/react-query';
import { createElement, memo, type ReactNode } from 'react';
import { LongText } from '../long-text.tsx';
import type { Piece } from './markdown-tree.ts';
import { mayBeMarkdown } from './may-be-markdown.ts';

type Props = {
  readonly text: string;
  /** Letters that stand there unasked. */
  readonly most: number;
  /** Level of the heading that it stands below. */
  readonly under: 1 | 2;
};

export const Markdown = memo(function Markdown({ text, most, under }: Props) {
  const { data: parser } = useQuery({
    queryKey: ['markdown'],
    queryFn: () => import('./markdown-tree.ts'),
    enabled: mayBeMarkdown(text),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (!parser || !mayBeMarkdown(text)) {
    return (
      <p className="typed">
        <LongText text={text} most={most} />
      </p>
    );
  }
  return (
    <div className="markdown">
      <LongText text={text} most={most} show={(part) => parser.markdownTree(part, { under }).map(element)} />
    </div>
  );
});

/** None of them ever changes its place: the text that they come from is another one then. */
const element = (piece: Piece, at: number): ReactNode =>
  typeof piece === 'string'
    ? piece
    : createElement(piece.tag, { ...piece.attributes, key: at }, ...piece.inside.map(element));
