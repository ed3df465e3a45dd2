// The page's modules, where they are.

const folder = new URL('../../src/app/page/', import.meta.url);

/** A module of the page. */
export const page = (name) => import(new URL(name, folder));
page.folder = folder;
