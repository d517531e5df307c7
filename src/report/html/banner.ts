import type { StopReason } from '../../apply/run-control.js';
import { counted } from '../words.js';
import { type Html, html } from './html.js';
import type { ReportInput } from './report-input.js';

/** What must be known before anything else on the page is believed; null when nothing is out of the way. */
export function banner({ run, writtenAt }: ReportInput): Html | null {
  switch (run.kind) {
    case 'plan':
      return null;
    case 'awaiting':
      return bannerHtml(
        'work',
        'Not applied yet',
        'apply wrote this page before it was allowed to change anything. If it still says so, nothing was changed.',
      );
    case 'begun':
      return bannerHtml(
        'bad',
        'Apply has begun, and its end is not known',
        `This page was written at ${instant(writtenAt)}, before the first change. The run replaces it when it ends: if it has ended and this still stands here, it was killed, and tenants may have been changed. What follows is what was planned; a new plan shows what is left.`,
      );
    case 'broken': {
      const ended = run.seen.filter(({ outcome }) => outcome !== null).length;
      const open = run.seen.length - ended;
      const done =
        run.seen.length === 0
          ? 'No tenant had been begun.'
          : `${counted(ended, 'tenant')} had ended by then; of ${counted(open, 'tenant')} that had been begun the end is not known. A new plan shows what is left.`;
      const { message, code, where, remedy } = run.error;
      return html`<div class="banner bad" role="note"><p><strong>Apply broke off.</strong> ${message} <code>${code}</code>${where === null ? null : ` (${where})`}</p><p>${done}</p>${remedy === null ? null : html`<p class="remedy"><span class="do">Do</span> ${remedy}</p>`}</div>`;
    }
    case 'ended': {
      const { ended } = run.outcome;
      return ended === null ? null : bannerHtml('bad', 'Apply ended early', ENDS[ended]);
    }
  }
}

/** `2026-11-22 20:52 UTC`. */
export const instant = (date: Date): string => `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

const bannerHtml = (mood: string, head: string, text: string): Html =>
  html`<div class="banner ${mood}" role="note"><p><strong>${head}.</strong> ${text}</p></div>`;

const ENDS: Readonly<Record<StopReason, string>> = {
  SIGINT: 'It was interrupted by SIGINT: what was in flight is finished or was cancelled, the rest is not attempted.',
  SIGTERM: 'It was interrupted by SIGTERM: what was in flight is finished or was cancelled, the rest is not attempted.',
  deadline: 'Its deadline came, or was no further off than its drain timeout: the rest is not attempted.',
  'max-failures': 'As many tenants have failed as --max-failures names: the rest is not attempted.',
  canary: 'A canary failed, so no other tenant was begun.',
  connection: 'The server could not be reached any more: the rest is not attempted.',
};
