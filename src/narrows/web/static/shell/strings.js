/** All words of the page, in English and Czech, from `strings/`; in them {name} stands for a value. */
import { cs } from '../strings/cs.js';
import { en } from '../strings/en.js';
import { csLecture } from '../strings/lecture-cs.js';
import { enLecture } from '../strings/lecture-en.js';
import { csImages } from '../strings/lecture-images-cs.js';
import { enImages } from '../strings/lecture-images-en.js';
import { csUnits } from '../strings/lecture-units-cs.js';
import { enUnits } from '../strings/lecture-units-en.js';
import { csTrain } from '../strings/train-cs.js';
import { enTrain } from '../strings/train-en.js';

/** @typedef {'en' | 'cs'} Language */
/**
 * @typedef {keyof (
 *   typeof en & typeof enLecture & typeof enImages & typeof enUnits & typeof enTrain
 * )} Key
 */

/** @type {Record<Language, Record<Key, string>>} */
export const STRINGS = {
  en: { ...en, ...enLecture, ...enImages, ...enUnits, ...enTrain },
  cs: { ...cs, ...csLecture, ...csImages, ...csUnits, ...csTrain },
};
