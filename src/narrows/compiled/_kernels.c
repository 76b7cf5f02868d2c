/* Dense nets forward and backward, and AdamW's step, for small nets, whose time is else that of calling larger kernels; and
what a model compares rows with: the nearest of some points, and the likeliest of some Gaussians.

The models of a stack are computed one after another, each as if it were alone. Every sum is taken in order, so that units
which a smaller code lacks, whose weights are 0, change no bit. The file includes itself once for each set of instructions;
kernels.py asks `best` which this processor has. Vectors are those of GCC and Clang. */

#ifndef TARGET

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { IDENTITY, RELU, SILU, GELU, TANH, SIGMOID };

/* A net of `models` models, for batches of `examples`; kernels.py has the same fields. Blocks of floats hold all models. */
struct net {
    int64_t models, examples, layers, shortcut; /* layers without the linear shortcut, of which there are 0 or 1 */
    int64_t between, last;                      /* activations: between two layers, and after the last */
    const int64_t *widths;                      /* layers + 1 of them */
    float *const *weights, *const *gradients;   /* of each layer, then the shortcut's: (inputs + 1, outputs), last biases */
    float *const *a, *const *d;                 /* of each layer but the inputs: what it comes to, and the activation's slope */
    float *const *g;                            /* ∂E/∂a of each layer, or of the inputs */
    float *panel;                               /* room for (inputs, outputs or examples) × two of the longest vectors */
};

#define QUOTED(text) #text
#define AS_TEXT(name) QUOTED(name)
const char *source(void) { return AS_TEXT(SOURCE); } /* what this was compiled from, as setup.py says */

#ifdef __clang__
#define SHUFFLED(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLED(a, b, ...) __builtin_shuffle(a, b, (ivec){__VA_ARGS__})
#endif

#if defined(__x86_64__)
int best(void) { return __builtin_cpu_supports("avx512f") ? 2 : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
#define TARGET __attribute__((target("avx512f")))
#define LANES 16
#define LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#define MOST_ROWS 8
#define NAMED(name) name##_avx512
#include "_kernels.c"
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define LOW 0, 8, 1, 9, 2, 10, 3, 11
#define HIGH 4, 12, 5, 13, 6, 14, 7, 15
#define MOST_ROWS 4
#define NAMED(name) name##_avx2
#include "_kernels.c"
#else
int best(void) { return 0; }
#endif
#define TARGET
#define LANES 4
#define LOW 0, 4, 1, 5
#define HIGH 2, 6, 3, 7
#define MOST_ROWS 4
#define NAMED(name) name##_baseline
#include "_kernels.c"

#else

#define INLINE TARGET static inline __attribute__((always_inline))
#define vec NAMED(vec)
#define ivec NAMED(ivec)
#define dvec NAMED(dvec)
typedef float vec __attribute__((vector_size(4 * LANES), may_alias));
typedef int32_t ivec __attribute__((vector_size(4 * LANES), may_alias));
typedef vec NAMED(loose) __attribute__((aligned(4)));
typedef double dvec __attribute__((vector_size(4 * LANES), may_alias));
typedef dvec NAMED(loose_double) __attribute__((aligned(8)));

/* The first `count` numbers at p, and no others. */
INLINE vec NAMED(load)(const float *p, int64_t count) {
    if (count >= LANES) return *(const NAMED(loose) *)p;
    vec v = {0};
    float *to = (float *)&v;
    for (int64_t piece = LANES / 2; piece; piece /= 2)
        if (count & piece) {
            memcpy(to, p, 4 * piece);
            to += piece, p += piece;
        }
    return v;
}

INLINE void NAMED(store)(float *p, vec v, int64_t count) {
    if (count >= LANES) {
        *(NAMED(loose) *)p = v;
        return;
    }
    const float *from = (const float *)&v;
    for (int64_t piece = LANES / 2; piece; piece /= 2)
        if (count & piece) {
            memcpy(p, from, 4 * piece);
            from += piece, p += piece;
        }
}

INLINE vec NAMED(where)(ivec condition, vec yes, vec no) { return (vec)(((ivec)yes & condition) | ((ivec)no & ~condition)); }

/* e^x − 1 to a unit in the last place, also where it is small; at least −1 and at most 10^38. NaN stays NaN. */
INLINE vec NAMED(expm1)(vec x) {
    const float shift = 0x1.8p23f; /* to which a number is added, it is rounded to a whole one, in the lowest bits */
    x = NAMED(where)(x > 88, (vec){0} + 88, x);
    x = NAMED(where)(x < -87, (vec){0} - 87, x);
    vec n = x * 0x1.715476p0f + shift;
    ivec bits = (ivec)n << 23;
    n -= shift;
    vec r = x - n * 0x1.62e4p-1f - n * 0x1.7f7d1cp-20f; /* less n ln 2 */
    vec s = r * r, p = (r * (1.f / 5040) + 1.f / 720) * s + (r * (1.f / 120) + 1.f / 24);
    p = (p * s + (r * (1.f / 6) + 0.5f)) * s + r;
    vec power = (vec)(bits + (ivec)((vec){0} + 1));
    return power * p + (power - 1);
}

INLINE vec NAMED(sigmoid)(vec h) { return 1 / (2 + NAMED(expm1)(-h)); }

/* Set h to f(h), and d to f′(h). */
INLINE void NAMED(one)(int64_t f, vec *h, vec *d) {
    vec x = *h, y, e;
    switch (f) {
    case RELU: /* as torch's, it lets NaN pass */
        *h = NAMED(where)(x <= 0, (vec){0}, x);
        *d = NAMED(where)(x <= 0, (vec){0}, (vec){0} + 1);
        break;
    case SILU:
        y = NAMED(sigmoid)(x);
        *h = x * y;
        *d = y + *h * (1 - y);
        break;
    case GELU: /* the normal distribution by 7.1.26 of Abramowitz & Stegun, to 8e-8 */
        e = NAMED(expm1)(x * x * -0.5f) + 1;
        y = 1 / (1 + 0.3275911f * 0.70710678f * NAMED(where)(x < 0, -x, x));
        y *= e * 0.5f * ((((1.061405429f * y - 1.453152027f) * y + 1.421413741f) * y - 0.284496736f) * y + 0.254829592f);
        y = NAMED(where)(x < 0, y, 1 - y);
        *h = x * y;
        *d = y + x * e * 0.39894228f;
        break;
    case TANH:
        e = NAMED(expm1)(2 * x);
        *h = e / (e + 2);
        *d = 1 - *h * *h;
        break;
    case SIGMOID:
        *h = NAMED(sigmoid)(x);
        *d = *h * (1 - *h);
    }
}

INLINE void NAMED(all)(int64_t f, int64_t count, float *a, float *d) {
    for (int64_t i = 0; i < count; i += LANES) {
        vec h = NAMED(load)(a + i, count - i), slope = {0};
        NAMED(one)(f, &h, &slope);
        NAMED(store)(a + i, h, count - i);
        NAMED(store)(d + i, slope, count - i);
    }
}

TARGET static void NAMED(activate)(int64_t f, int64_t count, float *a, float *d) {
    switch (f) { /* of each a loop of its own */
    case RELU: NAMED(all)(RELU, count, a, d); break;
    case SILU: NAMED(all)(SILU, count, a, d); break;
    case GELU: NAMED(all)(GELU, count, a, d); break;
    case TANH: NAMED(all)(TANH, count, a, d); break;
    case SIGMOID: NAMED(all)(SIGMOID, count, a, d);
    }
}

TARGET static void NAMED(slope)(int64_t f, int64_t count, float *restrict g, const float *restrict d) {
    if (f != IDENTITY)
        for (int64_t i = 0; i < count; i++) g[i] *= d[i];
}

/* `rows` rows and `wide` vectors (the last of them of `width` numbers) of A B, to start with C (where `add`) and a bias
(where there is one). */
INLINE void NAMED(block)(int rows, int wide, int64_t k, const float *A, int64_t row, int64_t column, const float *B,
                         int64_t ldb, const float *bias, int add, float *C, int64_t ldc, int64_t width) {
    vec c[MOST_ROWS][2];
    for (int v = 0; v < wide; v++) {
        int64_t at = v * LANES, own = v < wide - 1 ? LANES : width;
        vec start = bias ? NAMED(load)(bias + at, own) : (vec){0};
        for (int q = 0; q < rows; q++) {
            c[q][v] = start;
            if (add) c[q][v] += NAMED(load)(C + q * ldc + at, own);
        }
    }
    for (int64_t p = 0; p < k; p++)
        for (int q = 0; q < rows; q++)
            for (int v = 0; v < wide; v++)
                c[q][v] += A[q * row + p * column] * *(const NAMED(loose) *)(B + p * ldb + v * LANES);
    for (int q = 0; q < rows; q++)
        for (int v = 0; v < wide; v++) NAMED(store)(C + q * ldc + v * LANES, c[q][v], v < wide - 1 ? LANES : width);
}

/* The same of all m rows. */
INLINE void NAMED(column)(int wide, int64_t m, int64_t k, const float *A, int64_t row, int64_t column, const float *B,
                          int64_t ldb, const float *bias, int add, float *C, int64_t ldc, int64_t width) {
    int64_t i = 0;
    for (; m - i >= MOST_ROWS; i += MOST_ROWS)
        NAMED(block)(MOST_ROWS, wide, k, A + i * row, row, column, B, ldb, bias, add, C + i * ldc, ldc, width);
    for (; m - i >= 4; i += 4)
        NAMED(block)(4, wide, k, A + i * row, row, column, B, ldb, bias, add, C + i * ldc, ldc, width);
    for (; m - i >= 1; i += 1)
        NAMED(block)(1, wide, k, A + i * row, row, column, B, ldb, bias, add, C + i * ldc, ldc, width);
}

/* Set `panel` (k, all) to the transpose of B (rows, k), filled up with 0. A tile's rows are zipped, the first half with the
second, as often as its transpose takes. */
INLINE void NAMED(transpose)(int64_t rows, int64_t k, int64_t all, const float *B, float *panel) {
    for (int64_t j = 0; j < all; j += LANES)
        for (int64_t p = 0; p < k; p += LANES) {
            vec from[LANES], to[LANES];
            for (int q = 0; q < LANES; q++) from[q] = j + q < rows ? NAMED(load)(B + (j + q) * k + p, k - p) : (vec){0};
#pragma GCC unroll 4
            for (int done = 1; done < LANES; done *= 2) {
#pragma GCC unroll 8
                for (int q = 0; q < LANES / 2; q++) {
                    to[2 * q] = SHUFFLED(from[q], from[q + LANES / 2], LOW);
                    to[2 * q + 1] = SHUFFLED(from[q], from[q + LANES / 2], HIGH);
                }
#pragma GCC unroll 16
                for (int q = 0; q < LANES; q++) from[q] = to[q];
            }
            for (int q = 0; q < LANES && p + q < k; q++) *(NAMED(loose) *)(panel + (p + q) * all + j) = from[q];
        }
}

/* C (m, n) = A B + bias, or added to C; A is (m, k) with these steps to the next row and column, and B (k, n), or the
transpose of (n, k). */
INLINE void NAMED(product)(int64_t m, int64_t k, int64_t n, const float *A, int64_t row, int64_t column, const float *B,
                           int transposed, const float *bias, int add, float *C, float *panel) {
    for (int64_t j = 0; j < n;) {
        int64_t wide = n - j > LANES ? 2 : 1, all = wide * LANES, width = n - j < all ? n - j : all, ldb = n;
        const float *b = B + j, *start = bias ? bias + j : 0;
        if (transposed || width < all) { /* which is read from a panel of whole vectors */
            if (transposed)
                NAMED(transpose)(width, k, all, B + j * k, panel);
            else
                for (int64_t p = 0; p < k; p++)
                    for (int64_t q = 0; q < all; q++) panel[p * all + q] = q < width ? b[p * n + q] : 0;
            b = panel, ldb = all;
        }
        width -= all - LANES;
        if (wide == 2)
            NAMED(column)(2, m, k, A, row, column, b, ldb, start, add, C + j, n, width);
        else
            NAMED(column)(1, m, k, A, row, column, b, ldb, start, add, C + j, n, width);
        j += all;
    }
}

/* C (m, n) = A B + bias, row after row. */
TARGET static void NAMED(affine)(int64_t m, int64_t k, int64_t n, const float *A, const float *B, int transposed,
                                 const float *bias, int add, float *C, float *panel) {
    NAMED(product)(m, k, n, A, k, 1, B, transposed, bias, add, C, panel);
}

/* The gradient (inputs + 1, outputs) of a layer's weights by that of its outputs, whose last row is the biases'. */
TARGET static void NAMED(by_weights)(int64_t examples, int64_t inputs, int64_t outputs, const float *x, const float *g,
                                     float *gradient, float *panel) {
    const float one = 1;
    NAMED(product)(inputs, examples, outputs, x, 1, inputs, g, 0, 0, 0, gradient, panel);
    NAMED(product)(1, examples, outputs, &one, 0, 0, g, 0, 0, 0, gradient + inputs * outputs, panel);
}

/* Set a and d of each layer by the inputs x (models, examples, inputs). */
TARGET void NAMED(forward)(const struct net *net, const float *x) {
    const int64_t *widths = net->widths, last = net->layers, n = net->examples, in = widths[0], out = widths[last];
    for (int64_t k = 0; k < net->models; k++) {
        const float *inputs = x + k * n * in, *a = inputs;
        for (int64_t l = 1; l <= last; l++) {
            int64_t from = widths[l - 1], to = widths[l];
            const float *w = net->weights[l - 1] + k * (from + 1) * to;
            float *result = net->a[l] + k * n * to;
            NAMED(affine)(n, from, to, a, w, 0, w + from * to, 0, result, net->panel);
            if (l == last && net->shortcut) {
                const float *s = net->weights[last] + k * (in + 1) * out;
                NAMED(affine)(n, in, out, inputs, s, 0, s + in * out, 1, result, net->panel);
            }
            NAMED(activate)(l < last ? net->between : net->last, n * to, result, net->d[l] + k * n * to);
            a = result;
        }
    }
}

/* Set the weights' gradients, and where `wanted` ∂E/∂x, by ∂E/∂a of the last layer, which becomes that by what is activated. */
TARGET void NAMED(backward)(const struct net *net, const float *x, float *outputs, int wanted) {
    const int64_t *widths = net->widths, last = net->layers, n = net->examples, in = widths[0], out = widths[last];
    for (int64_t k = 0; k < net->models; k++) {
        float *end = outputs + k * n * out, *g = end;
        NAMED(slope)(net->last, n * out, end, net->d[last] + k * n * out);
        for (int64_t l = last; l; l--) {
            int64_t from = widths[l - 1], to = widths[l];
            const float *a = l > 1 ? net->a[l - 1] + k * n * from : x + k * n * in;
            NAMED(by_weights)(n, from, to, a, g, net->gradients[l - 1] + k * (from + 1) * to, net->panel);
            if (l == 1 && !wanted) break;
            float *before = net->g[l - 1] + k * n * from;
            NAMED(affine)(n, to, from, g, net->weights[l - 1] + k * (from + 1) * to, 1, 0, 0, before, net->panel);
            if (l > 1) NAMED(slope)(net->between, n * from, before, net->d[l - 1] + k * n * from);
            g = before;
        }
        if (net->shortcut) {
            int64_t block = k * (in + 1) * out;
            NAMED(by_weights)(n, in, out, x + k * n * in, end, net->gradients[last] + block, net->panel);
            if (wanted) NAMED(affine)(n, out, in, end, net->weights[last] + block, 1, 0, 1, g, net->panel);
        }
    }
}

/* Set g to ∂E/∂a, and return E: `share` times half the squared error of `count` outputs a. */
TARGET static float NAMED(squared_error)(int64_t count, const float *a, const float *x, float *g, float share) {
    vec squares = {0};
    float sum = 0;
    for (int64_t i = 0; i < count; i += LANES) {
        vec off = NAMED(load)(a + i, count - i) - NAMED(load)(x + i, count - i);
        squares += off * off;
        NAMED(store)(g + i, off * share, count - i);
    }
    for (int i = 0; i < LANES; i++) sum += squares[i];
    return 0.5f * share * sum;
}

/* Set all weights' gradients, and each model's loss, where codes are what the encoder makes of `seen`, and the loss is half
the squared error of what the decoder makes of these, mean over examples. g has room for ∂E/∂a. */
TARGET void NAMED(gradients)(const struct net *encoder, const struct net *decoder, const float *seen, const float *x, float *g,
                             float *losses) {
    const int64_t count = decoder->examples * decoder->widths[decoder->layers];
    const float *z = encoder->a[encoder->layers], *a = decoder->a[decoder->layers], share = 1.f / decoder->examples;
    NAMED(forward)(encoder, seen);
    NAMED(forward)(decoder, z);
    for (int64_t k = 0; k < decoder->models; k++)
        losses[k] = NAMED(squared_error)(count, a + k * count, x + k * count, g + k * count, share);
    NAMED(backward)(decoder, z, g, 1);
    NAMED(backward)(encoder, seen, decoder->g[0], 0);
}

/* AdamW: `step` is the rate over 1 − β₁ᵗ, `root` that of 1 − β₂ᵗ, and `kept` what decay leaves of the values. */
TARGET void NAMED(adamw)(int64_t count, float *restrict values, const float *restrict gradients, float *restrict first,
                         float *restrict second, double step, double root, double beta1, double beta2, double kept) {
    const float new1 = 1 - beta1, old2 = beta2, new2 = 1 - beta2, rate = step, most = kept, inverse = 1 / root;
    for (int64_t i = 0; i < count; i++) {
        float g = gradients[i];
        first[i] += new1 * (g - first[i]);
        second[i] = old2 * second[i] + new2 * g * g;
        values[i] = most * values[i] - rate * first[i] / (sqrtf(second[i]) * inverse + 1e-8f);
    }
}

/* Put a squared distance to its place among the `most` least ones, which are in order, behind equal ones. */
INLINE void NAMED(put)(int64_t most, float square, int64_t place, float *squares, int64_t *places) {
    int64_t at = most - 1;
    if (!(square < squares[at])) return;
    for (; at && square < squares[at - 1]; at--) squares[at] = squares[at - 1], places[at] = places[at - 1];
    squares[at] = square, places[at] = place;
}

/* `nearest` of a few rows, whose distances to all points stand in `room` first. */
INLINE void NAMED(nearest_to)(int rows, int64_t k, int64_t m, int64_t most, const float *x, const float *points,
                              const float *scales, float *room, float *squares, int64_t *places) {
    vec least[4][2]; /* of every so many points, so that few are left that may be among the nearest */
    for (int q = 0; q < rows; q++) least[q][0] = least[q][1] = (vec){0} + INFINITY;
    for (int64_t j = 0; j < m; j += 2 * LANES) {
        vec c[4][2] = {0};
        for (int64_t p = 0; p < k; p++)
            for (int v = 0; v < 2; v++)
                for (int q = 0; q < rows; q++) {
                    vec apart = *(const NAMED(loose) *)(points + p * m + j + v * LANES) - x[q * k + p];
                    c[q][v] += apart * apart;
                }
        for (int v = 0; v < 2; v++)
            for (int q = 0; q < rows; q++) {
                c[q][v] *= *(const NAMED(loose) *)(scales + j + v * LANES);
                *(NAMED(loose) *)(room + q * m + j + v * LANES) = c[q][v];
                least[q][v] = NAMED(where)(c[q][v] < least[q][v], c[q][v], least[q][v]);
            }
    }
    for (int q = 0; q < rows; q++, squares += most, places += most) {
        for (int64_t i = 0; i < most; i++) squares[i] = INFINITY, places[i] = 0;
        for (int64_t i = 0; i < 2 * LANES; i++) NAMED(put)(most, ((const float *)least[q])[i], 0, squares, places);
        float enough = squares[most - 1];
        for (int64_t i = 0; i < most; i++) squares[i] = INFINITY;
        for (int64_t j = 0; j < m; j += 2 * LANES) {
            const float *own = room + q * m + j;
            ivec near = (*(const NAMED(loose) *)own <= enough) | (*(const NAMED(loose) *)(own + LANES) <= enough);
            const int64_t *pairs = (const int64_t *)&near;
            int64_t any = 0;
            for (int i = 0; i < LANES / 2; i++) any |= pairs[i];
            for (int64_t i = 0; any && i < 2 * LANES; i++) NAMED(put)(most, own[i], j + i, squares, places);
        }
    }
}

/* Of each row of x (rows, k) the `most` least squared distances to m points (k, m), times their scales, in order, and whose
they are, both (rows, most); the first of equal ones. m is a multiple of two of the longest vectors, what fills it up is
infinitely far, and `room` is for 4 m. */
TARGET void NAMED(nearest)(int64_t rows, int64_t k, int64_t m, int64_t most, const float *x, const float *points,
                           const float *scales, float *room, float *squares, int64_t *places) {
    int64_t i = 0;
    for (; rows - i >= 4; i += 4)
        NAMED(nearest_to)(4, k, m, most, x + i * k, points, scales, room, squares + i * most, places + i * most);
    for (; i < rows; i++)
        NAMED(nearest_to)(1, k, m, most, x + i * k, points, scales, room, squares + i * most, places + i * most);
}

/* Λₕₕ⁻¹ gₕ of that component, of K, which is the likeliest by all cells of a row but the k of d that are hidden, (n, k).

Of each component there are the precisions Λ, (d, d, K), the rest of its logarithm, (K,), and of each row g = Λ(x − μ),
(n, d, K), and gᵀ(x − μ), (n, K). K is a multiple of the longest vector. To hide cells takes gₕᵀ Λₕₕ⁻¹ gₕ from the square,
and ½ log |Λₕₕ| from the logarithm: both by the rows of Λₕₕ = LLᵀ, one after another, in `room` for k (k + 5) / 2 vectors. */
TARGET void NAMED(likeliest)(int64_t n, int64_t d, int64_t components, int64_t k, const double *precisions,
                             const double *logarithms, const double *slopes, const double *squares, const int64_t *hidden,
                             double *room, double *away) {
    enum { WIDE = LANES / 2 };
    NAMED(loose_double) *inverse = (NAMED(loose_double) *)room, *v = inverse + k, *L = v + k;
    for (int64_t i = 0; i < n; i++, hidden += k, away += k) {
        double best = -INFINITY;
        for (int64_t p = 0; p < k; p++) away[p] = NAN; /* where none is likely */
        for (int64_t c = 0; c < components; c += WIDE) {
            dvec square = *(const NAMED(loose_double) *)(squares + i * components + c), halves = {0}, product = {0};
            product += 1;
            for (int64_t p = 0; p < k; p++) {
                NAMED(loose_double) *row = L + p * (p + 1) / 2, *other = L;
                dvec sum = *(const NAMED(loose_double) *)(slopes + (i * d + hidden[p]) * components + c);
                for (int64_t q = 0; q <= p; q++, other += q) {
                    dvec own = *(const NAMED(loose_double) *)(precisions + (hidden[p] * d + hidden[q]) * components + c);
                    for (int64_t r = 0; r < q; r++) own -= row[r] * other[r];
                    if (q < p)
                        own *= inverse[q], sum -= own * v[q];
                    else
                        for (int l = 0; l < WIDE; l++) ((double *)&own)[l] = sqrt(((double *)&own)[l]);
                    row[q] = own;
                }
                inverse[p] = 1 / row[p];
                v[p] = sum * inverse[p];
                square -= v[p] * v[p];
                product *= row[p];
                if (p % 8 == 7 || p == k - 1) /* of so few that none is too large */
                    for (int l = 0; l < WIDE; l++) {
                        ((double *)&halves)[l] += log(((double *)&product)[l]);
                        ((double *)&product)[l] = 1;
                    }
            }
            int64_t lane = -1;
            for (int l = 0; l < WIDE; l++) {
                double left = ((double *)&square)[l], score = logarithms[c + l] - ((double *)&halves)[l];
                score -= left > 0 ? left / 2 : 0;
                if (score > best) best = score, lane = l;
            }
            if (lane < 0) continue;
            for (int64_t p = k - 1; p >= 0; p--) {
                double sum = ((double *)(v + p))[lane];
                for (int64_t q = p + 1; q < k; q++) sum -= ((double *)(L + q * (q + 1) / 2 + p))[lane] * away[q];
                away[p] = sum * ((double *)(inverse + p))[lane];
            }
        }
    }
}

#include "_convolutions.c"

#undef INLINE
#undef vec
#undef ivec
#undef dvec
#undef TARGET
#undef LANES
#undef LOW
#undef HIGH
#undef MOST_ROWS
#undef NAMED

#endif
