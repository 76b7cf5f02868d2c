/** The words of the lecture's pages in Czech. */

/** @type {Record<keyof typeof import('./lecture-en.js').enLecture, string>} */
export const csLecture = {
  'activations': 'Aktivace',
  'activations.lead': 'Skok nemá sklon, po kterém by se dalo sestupovat. Sigmoida ho vyhlazuje: čím strmější, tím blíž. ReLU má v 0 zlom, kde je derivace stanovena jako 0.',
  'activations.values': 'Co dávají',
  'activations.slopes': 'Jejich derivace',
  'activations.x': 'Vstup x',
  'activations.k': 'Strmost k',
  'activations.drag': 'Vstup x na ose; táhněte ho, nebo použijte šipky.',
  'activations.name': 'funkce',
  'activations.value': 'φ(x)',
  'activations.slope': 'φ′(x)',
};
