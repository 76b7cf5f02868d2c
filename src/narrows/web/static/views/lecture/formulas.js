/** Names and linear forms as mathematicians write them. */

/**
 * @param {string} text such as "f1"
 * @returns {string} with its names' digits below the line
 */
export function sub(text) {
  return text.replace(/(?<=[a-z])\d/g, (digit) => '₀₁₂₃₄₅₆₇₈₉'[Number(digit)]);
}

/**
 * @param {number[]} coefficients
 * @param {string[]} names of what they are times; "" for 1
 * @param {(value: number) => string} show
 * @returns {string} such as 2·x₁ − x₂
 */
export function linear(coefficients, names, show) {
  let text = '';
  coefficients.forEach((c, i) => {
    if (!c) return;
    const size = Math.abs(c);
    const sign = c < 0 ? '−' : '+';
    text += `${text ? ` ${sign} ` : c < 0 ? '−' : ''}${names[i] && size === 1 ? '' : show(size)}${names[i] && size !== 1 ? '·' : ''}${names[i]}`;
  });
  return text || '0';
}
