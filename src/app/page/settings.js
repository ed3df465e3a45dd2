// What a reader chose, kept by the browser: for each stream, and for the page.

const PREFIX = 'tailcast ';

/** A browser that keeps nothing for us forgets the choice, no more. */
function storage(use) {
  try {
    return use(localStorage);
  } catch {
    return null;
  }
}

/** What is kept for a stream; '' is the page. */
export function kept(name) {
  try {
    return JSON.parse(storage((store) => store.getItem(PREFIX + name))) ?? {};
  } catch {
    return {};
  }
}

export function keep(name, choice) {
  storage((store) => store.setItem(PREFIX + name, JSON.stringify({ ...kept(name), ...choice })));
}
