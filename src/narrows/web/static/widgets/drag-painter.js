/** What a drag asks for, painted at the next frame: the newest of it, whatever has come in the meantime. */

/**
 * @template T
 * @param {(answer: T) => void} paint
 * @param {(answer: T) => void} dragged called after it, where a person's hand was the cause
 * @returns {{ show: (answer: T, stamp: number) => void, close: () => void }} `stamp` is when the person moved, or 0;
 *   the time from then to the end of painting is measured
 */
export function dragPainter(paint, dragged) {
  let frame = 0;
  /** @type {{ answer: T, stamp: number } | null} */
  let newest = null;
  const painted = () => {
    frame = 0;
    if (!newest) return;
    const { answer, stamp } = newest;
    paint(answer);
    if (!stamp) return;
    performance.measure('drag', { start: stamp, end: performance.now() });
    dragged(answer);
  };
  return {
    show: (answer, stamp) => {
      newest = { answer, stamp };
      frame ||= requestAnimationFrame(painted);
    },
    close: () => cancelAnimationFrame(frame),
  };
}
