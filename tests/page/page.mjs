// The page's modules, where they are.

import { existsSync } from 'node:fs';

const folders = ['../../src/app/page/', '../../src/page/'].map((folder) => new URL(folder, import.meta.url));

/** A module of the page. */
export const page = (name) => import(new URL(name, page.folder));
page.folder = folders.find((folder) => existsSync(folder));
