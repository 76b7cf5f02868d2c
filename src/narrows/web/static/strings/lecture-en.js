/** The words of the lecture's pages in English. */
export const enLecture = {
  'activations': 'Activations',
  'activations.lead': 'The step has no slope to descend by. The sigmoid smooths it: the steeper, the nearer. ReLU has a kink at 0, where its derivative is declared to be 0.',
  'activations.values': 'What they give',
  'activations.slopes': 'Their derivatives',
  'activations.x': 'Input x',
  'activations.k': 'Steepness k',
  'activations.drag': 'Input x, on the axis; drag it, or use the arrow keys.',
  'activations.name': 'function',
  'activations.value': 'φ(x)',
  'activations.slope': 'φ′(x)',
};
