/** All words of the page, in English and Czech, from `strings/`; in them {name} stands for a value. */
import { cs } from '../strings/cs.js';
import { en } from '../strings/en.js';
import { csLecture } from '../strings/lecture-cs.js';
import { enLecture } from '../strings/lecture-en.js';

/** @typedef {'en' | 'cs'} Language */
/** @typedef {keyof typeof en | keyof typeof enLecture} Key */

/** @type {Record<Language, Record<Key, string>>} */
export const STRINGS = { en: { ...en, ...enLecture }, cs: { ...cs, ...csLecture } };
