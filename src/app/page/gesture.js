// Fingers, mouse and keys on a chart: to move, to zoom, to point.

/** A finger that moved less, in px, has not moved. */
const STILL = 6;
/** A finger that rests so long, in ms, points from then on and moves nothing. */
const RESTS = 350;
/** What an arrow key moves by, in px. */
const KEY = 10;

/**
 * `act`: `pan(px)`; `zoom(factor, x)`: less than 1 is nearer; `point(x)`: `null` no more; `tap(x)`. One finger up and down
 * still scrolls the page (`touch-action: pan-y`).
 */
export function gestures(canvas, act) {
  const down = new Map();
  let [start, moved, points, timer, key] = [0, false, false, 0, null];
  let left = 0;
  const where = (event) => {
    // To ask for it lays out the page anew, and each move of a finger that drags has written numbers.
    if (down.size === 0) left = canvas.getBoundingClientRect().left;
    return event.clientX - left;
  };
  /** The middle of the fingers and how far they are from it. */
  const hold = () => {
    const all = [...down.values()];
    const middle = all.reduce((sum, x) => sum + x, 0) / all.length;
    return [middle, all.length > 1 ? Math.max(10, Math.abs(all[0] - middle)) : 0];
  };
  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    down.set(event.pointerId, where(event));
    [start, moved, points] = [where(event), down.size > 1, false];
    clearTimeout(timer);
    if (event.pointerType === 'mouse' || moved) return;
    timer = setTimeout(() => {
      points = true;
      act.point(start);
    }, RESTS);
  });
  canvas.addEventListener('pointermove', (event) => {
    const x = where(event);
    if (!down.has(event.pointerId)) return act.point((key = x));
    if (Math.abs(x - start) > STILL) moved = true;
    if (!moved) return;
    clearTimeout(timer);
    const [before, wide] = hold();
    down.set(event.pointerId, x);
    const [middle, wider] = hold();
    if (points) return act.point(x);
    act.pan(middle - before);
    if (wide > 0) act.zoom(wide / wider, middle);
  });
  const up = (event) => {
    clearTimeout(timer);
    if (down.delete(event.pointerId) && event.type === 'pointerup' && !moved && !points) act.tap(start);
  };
  canvas.addEventListener('pointerup', up);
  canvas.addEventListener('pointercancel', up);
  canvas.addEventListener('pointerleave', (event) => event.pointerType === 'mouse' && act.point(null));
  const wheel = (event) => {
    // Where there are more charts below, a wheel alone scrolls.
    if (canvas.closest('.chart').querySelectorAll('canvas').length > 1 && !event.ctrlKey && !event.shiftKey && event.deltaX === 0) return;
    event.preventDefault();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) act.pan(-event.deltaX);
    // A pinch on a touch pad comes as small steps of a wheel with a key.
    else act.zoom(Math.exp(Math.max(-100, Math.min(100, event.deltaY)) * (event.ctrlKey ? 0.01 : 0.002)), where(event));
  };
  canvas.addEventListener('wheel', wheel, { passive: false });
  canvas.addEventListener('keydown', (event) => {
    const middle = key ?? canvas.clientWidth / 2;
    const step = event.shiftKey ? KEY * 10 : KEY;
    const move = (x) => act.point((key = Math.max(0, Math.min(canvas.clientWidth, x))));
    const keys = {
      ArrowLeft: () => move(middle - step),
      ArrowRight: () => move(middle + step),
      PageUp: () => act.pan(canvas.clientWidth / 2),
      PageDown: () => act.pan(-canvas.clientWidth / 2),
      '+': () => act.zoom(0.5, middle),
      '-': () => act.zoom(2, middle),
      Enter: () => act.tap(middle),
      Escape: () => act.point((key = null)),
    };
    if (event.ctrlKey || event.altKey || event.metaKey || !keys[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  });
}
