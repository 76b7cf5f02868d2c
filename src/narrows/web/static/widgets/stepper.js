/** Buttons for what goes on step by step, by a person's hand or by itself. */
import { h } from './elements.js';

const PACE = 600; // milliseconds a step, unless said otherwise

/**
 * @param {import('../shell/app.js').App} app
 * @param {object} does
 * @param {(alone?: boolean) => boolean} does.next makes a step, `alone` by itself, and says whether one can follow
 * @param {() => void} does.start goes back to where it begins
 * @param {number} [does.pace] milliseconds a step
 * @returns {{ element: HTMLElement, stop: () => void }}
 */
export function stepper(app, { next, start, pace = PACE }) {
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;
  const run = h('button', { onclick: () => (timer ? stop() : play()) }, app.t('steps.run'));
  const stop = () => {
    clearInterval(timer);
    timer = undefined;
    run.textContent = app.t('steps.run');
  };
  const go = () => {
    if (!next(true)) stop();
  };
  const play = () => {
    run.textContent = app.t('steps.pause');
    timer = setInterval(go, pace);
    go();
  };
  const by = (/** @type {() => void} */ work) => () => {
    stop();
    work();
  };
  const element = h(
    'div',
    { class: 'row' },
    h('button', { onclick: by(() => next()) }, app.t('steps.step')),
    run,
    h('button', { onclick: by(start) }, app.t('steps.reset')),
  );
  return { element, stop };
}
