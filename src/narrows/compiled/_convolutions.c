/* Chains of activations and convolutions of 3 × 3, padded by one pixel, by Winograd's F(2 × 2, 3 × 3) (Lavin & Gray 2016): for
each 2 × 2 pixels 16 products of an input and a weight instead of 36. Included by _kernels.c once for each set of instructions.

Images are (n, h, w, channels). A few at a time go through all of a chain, so that what is between stays in a cache. Channels
fill blocks of 16, the last with zeros. What tiles of 2 × 2 pixels come to is (16 positions, blocks, tiles, 16). Each sum is
taken in one order wherever a tile stands, so that an image's numbers do not depend on the others. */

#ifndef BLOCK
#define BLOCK 16                                           /* channels: whole vectors, of any set of instructions */
#define BLOCKS(channels) (((channels) + BLOCK - 1) / BLOCK)
#define WHOLE(channels) (BLOCKS(channels) * BLOCK)
#define TILES(in, out) ((in) * (out) > 16 ? 64 : 16)       /* at a time: more where weights are many */
#define MORE_TILES 64                                      /* for the weights' gradient, whose sums are over them */
#define APART(rows, blocks) ((rows) * BLOCK * (blocks) + BLOCK) /* no multiple of 4,096 bytes, from which caches suffer */
#define AT_ONCE 32768                                      /* numbers of images in one of the arrays between */

/* y = f(x) ∗ weights + bias, and on; convolutions.py has the same fields. */
struct chain {
    int64_t h, w, layers, activation;
    int64_t residual, enlarged;                  /* whether x is added at the end, and whether 4 channels become 2 × 2 pixels */
    const int64_t *channels;                     /* layers + 1 of them */
    float *const *weights, *const *biases;       /* (outputs, inputs, 3, 3) and (outputs,) */
    float *const *by_weights, *const *by_biases; /* their gradients */
    float *const *y;                             /* layers + 1 of them: x, and what each layer comes to */
    float *g;                                    /* the gradient of the last of these */
    float *by_x;                                 /* and of the first */
    float *room;                                 /* as many numbers as `room` says */
};

static int64_t most_channels(const struct chain *chain) {
    int64_t most = 0;
    for (int64_t l = 0; l <= chain->layers; l++)
        if (WHOLE(chain->channels[l]) > most) most = WHOLE(chain->channels[l]);
    return most;
}

static int64_t images_at_once(const struct chain *chain) {
    int64_t each = chain->h * chain->w * most_channels(chain);
    return each < AT_ONCE ? AT_ONCE / each : 1;
}

/* Numbers that a chain's passes need room for. */
int64_t room(const struct chain *chain) {
    int64_t most = most_channels(chain), all = 4 * images_at_once(chain) * chain->h * chain->w * most;
    for (int64_t l = 0; l < chain->layers; l++)
        all += 32 * APART(WHOLE(chain->channels[l]), BLOCKS(chain->channels[l + 1])) + 2 * most;
    return all + 32 * APART(MORE_TILES, most / BLOCK);
}

static float *taken(float **room, int64_t count) {
    float *start = *room;
    *room += count;
    return start;
}

/* A tile: of which image, and its first pixel. */
struct place {
    int64_t image, row, column;
};

static inline void advance(struct place *at, int64_t h, int64_t w) {
    at->column += 2;
    if (at->column < w) return;
    at->column = 0, at->row += 2;
    if (at->row < h) return;
    at->row = 0, at->image++;
}

/* Between the last layer's images in blocks of channels and those outside, which may be enlarged; `out` or in. */
static void carry(const struct chain *chain, int64_t n, float *inside, float *outside, int out) {
    int64_t channels = chain->channels[chain->layers], whole = WHOLE(channels), times = 1 + chain->enlarged, step = times * times;
    if (!out) memset(inside, 0, 4 * n * chain->h * chain->w * whole);
    for (int64_t i = 0; i < n; i++)
        for (int64_t r = 0; r < times * chain->h; r++)
            for (int64_t c = 0; c < times * chain->w; c++) {
                float *p = inside + ((i * chain->h + r / times) * chain->w + c / times) * whole;
                p += r % times * times + c % times;
                for (int64_t q = 0; q < channels; q += step, outside++)
                    if (out)
                        *outside = p[q];
                    else
                        p[q] = *outside;
            }
}
#endif

/* B' x of four pixels in a row or column. */
INLINE void NAMED(four)(vec *a, vec *b, vec *c, vec *d) {
    vec last = *b - *d;
    *a -= *c, *d = last, last = *b, *b += *c, *c -= last;
}

/* V = B' x B of the 4 × 4 pixels around each of `count` tiles from `at` on. */
INLINE void NAMED(spread)(int64_t tiles, struct place at, int64_t count, int64_t h, int64_t w, int64_t channels, const float *x,
                          float *V) {
    int64_t apart = APART(tiles, channels / BLOCK), next = w * channels;
    for (int64_t t = 0; t < count; t++, advance(&at, h, w)) {
        int64_t left = at.column > 0, right = w - at.column;
        const float *corner = x + ((at.image * h + at.row - 1) * w + at.column - 1) * channels;
        for (int64_t v = 0; v < channels; v += LANES) {
            vec d[4][4];
            for (int r = 0; r < 4; r++) {
                const float *p = corner + r * next + v;
                if (at.row + r > 0 && at.row + r <= h) {
                    d[r][0] = left ? *(NAMED(loose) *)p : (vec){0};
                    d[r][1] = *(NAMED(loose) *)(p + channels);
                    d[r][2] = right > 1 ? *(NAMED(loose) *)(p + 2 * channels) : (vec){0};
                    d[r][3] = right > 2 ? *(NAMED(loose) *)(p + 3 * channels) : (vec){0};
                } else
                    d[r][0] = d[r][1] = d[r][2] = d[r][3] = (vec){0};
                NAMED(four)(&d[r][0], &d[r][1], &d[r][2], &d[r][3]);
            }
            float *to = V + (v / BLOCK * tiles + t) * BLOCK + v % BLOCK;
            for (int c = 0; c < 4; c++) {
                NAMED(four)(&d[0][c], &d[1][c], &d[2][c], &d[3][c]);
                for (int r = 0; r < 4; r++) *(vec *)(to + (4 * r + c) * apart) = d[r][c];
            }
        }
    }
}

/* `rows` rows and `wide` vectors of A B, or added to C. A is (rows, blocks · k) with these steps to the next row, column and
block of columns; rows of B and C have BLOCK numbers, and the second vector stands `beside` or `aside` of the first. */
INLINE void NAMED(multiply)(int rows, int wide, int add, int64_t k, int64_t blocks, const float *A, int64_t row, int64_t column,
                            int64_t block, const float *B, int64_t beside, float *C, int64_t aside) {
    vec c[16][2];
    for (int q = 0; q < rows; q++)
        for (int v = 0; v < wide; v++) c[q][v] = add ? *(vec *)(C + q * BLOCK + v * aside) : (vec){0};
    for (; blocks; blocks--, A += block, B += k * BLOCK)
        for (int64_t p = 0; p < k; p++)
            for (int q = 0; q < rows; q++)
                for (int v = 0; v < wide; v++)
                    c[q][v] += A[q * row + p * column] * *(const vec *)(B + p * BLOCK + v * beside);
    for (int q = 0; q < rows; q++)
        for (int v = 0; v < wide; v++) *(vec *)(C + q * BLOCK + v * aside) = c[q][v];
}

/* m rows, a multiple of 16, and n blocks, which are `by_b` and `by_c` apart. */
INLINE void NAMED(matrix)(int add, int64_t m, int64_t k, int64_t blocks, int64_t n, const float *A, int64_t row, int64_t column,
                          int64_t block, const float *B, int64_t by_b, float *C, int64_t by_c) {
    int64_t j = 0, vectors = n * BLOCK / LANES, each = BLOCK / LANES;
    for (; j + 2 <= vectors; j += 2) {
        int64_t beside = each > 1 ? LANES : by_b, aside = each > 1 ? LANES : by_c, at = j % each * LANES;
        for (int64_t i = 0; i < m; i += MOST_ROWS)
            NAMED(multiply)(MOST_ROWS, 2, add, k, blocks, A + i * row, row, column, block, B + j / each * by_b + at, beside,
                            C + j / each * by_c + at + i * BLOCK, aside);
    }
    if (j < vectors)
        for (int64_t i = 0; i < m; i += 2 * MOST_ROWS)
            NAMED(multiply)(2 * MOST_ROWS, 1, add, k, blocks, A + i * row, row, column, block, B + j * by_b, 0,
                            C + j * by_c + i * BLOCK, 0);
}

/* y = (A' M A + bias) slope + other of `count` tiles, where there is each of these. */
INLINE void NAMED(gather)(int64_t tiles, struct place at, int64_t count, int64_t h, int64_t w, int64_t channels, const float *M,
                          const float *bias, const float *slope, const float *other, float *y) {
    int64_t apart = APART(tiles, channels / BLOCK);
    for (int64_t t = 0; t < count; t++, advance(&at, h, w)) {
        int64_t start = ((at.image * h + at.row) * w + at.column) * channels;
        for (int64_t v = 0; v < channels; v += LANES) {
            vec s[2][4], b = bias ? *(vec *)(bias + v) : (vec){0};
            const float *m = M + (v / BLOCK * tiles + t) * BLOCK + v % BLOCK;
            for (int c = 0; c < 4; c++, m += apart) {
                vec m0 = *(vec *)m, m1 = *(vec *)(m + 4 * apart), m2 = *(vec *)(m + 8 * apart), m3 = *(vec *)(m + 12 * apart);
                s[0][c] = m0 + m1 + m2;
                s[1][c] = m1 - m2 - m3;
            }
            for (int r = 0; r < 2 && at.row + r < h; r++)
                for (int c = 0; c < 2 && at.column + c < w; c++) {
                    vec *q = s[r], value = (c ? q[1] - q[2] - q[3] : q[0] + q[1] + q[2]) + b;
                    int64_t pixel = start + (r * w + c) * channels + v;
                    if (slope) value *= *(NAMED(loose) *)(slope + pixel);
                    if (other) value += *(NAMED(loose) *)(other + pixel);
                    *(NAMED(loose) *)(y + pixel) = value;
                }
        }
    }
}

/* G x of three numbers, of a block of outputs. */
INLINE void NAMED(four_of_three)(const float *a, const float *b, const float *c, float *w, float *x, float *y, float *z) {
    for (int o = 0; o < BLOCK; o++) {
        float ends = a[o] + c[o], middle = b[o];
        w[o] = a[o], x[o] = (ends + middle) / 2, y[o] = (ends - middle) / 2, z[o] = c[o];
    }
}

/* G' x of four. */
INLINE void NAMED(three_of_four)(const float *a, const float *b, const float *c, const float *d, float *x, float *y, float *z) {
    for (int o = 0; o < BLOCK; o++) {
        float both = (b[o] + c[o]) / 2;
        x[o] = a[o] + both, y[o] = (b[o] - c[o]) / 2, z[o] = both + d[o];
    }
}

/* U = G w G' of the 3 × 3 weights of each output and input, which are `by_output` and `by_input` apart, (16, blocks of
outputs, inputs, 16); where `turned`, the other way round, as a gradient by the inputs has them. */
TARGET static void NAMED(turn)(int64_t inputs, int64_t outputs, int64_t by_input, int64_t by_output, int turned, const float *w,
                               float *U) {
    int64_t in = WHOLE(inputs), apart = APART(in, BLOCKS(outputs));
    if (in > inputs) memset(U, 0, 4 * 16 * apart);
    for (int64_t first = 0; first < outputs; first += BLOCK)
        for (int64_t i = 0; i < inputs; i++) {
            float k[9][BLOCK] = {0}, s[4][3][BLOCK], *to = U + first * in + i * BLOCK;
            for (int64_t o = 0; o < BLOCK && first + o < outputs; o++)
                for (int q = 0; q < 9; q++) k[q][o] = w[(first + o) * by_output + i * by_input + (turned ? 8 - q : q)];
            for (int c = 0; c < 3; c++) NAMED(four_of_three)(k[c], k[3 + c], k[6 + c], s[0][c], s[1][c], s[2][c], s[3][c]);
            for (int r = 0; r < 4; r++, to += 4 * apart)
                NAMED(four_of_three)(s[r][0], s[r][1], s[r][2], to, to + apart, to + 2 * apart, to + 3 * apart);
        }
}

/* The gradient (outputs, inputs, 3, 3) of the weights by dU, as U. */
TARGET static void NAMED(turn_back)(int64_t inputs, int64_t outputs, const float *dU, float *gradient) {
    int64_t in = WHOLE(inputs), apart = APART(in, BLOCKS(outputs));
    for (int64_t first = 0; first < outputs; first += BLOCK)
        for (int64_t i = 0; i < inputs; i++) {
            float s[3][4][BLOCK], k[9][BLOCK];
            const float *u = dU + first * in + i * BLOCK;
            for (int c = 0; c < 4; c++, u += apart)
                NAMED(three_of_four)(u, u + 4 * apart, u + 8 * apart, u + 12 * apart, s[0][c], s[1][c], s[2][c]);
            for (int r = 0; r < 3; r++)
                NAMED(three_of_four)(s[r][0], s[r][1], s[r][2], s[r][3], k[3 * r], k[3 * r + 1], k[3 * r + 2]);
            for (int64_t o = 0; o < BLOCK && first + o < outputs; o++)
                for (int q = 0; q < 9; q++) gradient[((first + o) * inputs + i) * 9 + q] = k[q][o];
        }
}

/* y = (x ∗ weights + bias) slope + other, by U. */
TARGET static void NAMED(convolve)(int64_t n, int64_t h, int64_t w, int64_t inputs, int64_t outputs, const float *x,
                                   const float *U, const float *bias, const float *slope, const float *other, float *y,
                                   float *room) {
    int64_t all = n * ((h + 1) / 2) * ((w + 1) / 2), in = inputs / BLOCK, out = outputs / BLOCK, tiles = TILES(in, out);
    int64_t by_v = APART(tiles, in), by_m = APART(tiles, out), by_u = inputs * BLOCK, by_p = APART(inputs, out);
    float *V = taken(&room, 16 * by_v), *M = room;
    struct place at = {0};
    for (int64_t first = 0; first < all; first += tiles) {
        int64_t count = all - first < tiles ? all - first : tiles;
        NAMED(spread)(tiles, at, count, h, w, inputs, x, V);
        for (int64_t p = 0; p < 16; p++)
            NAMED(matrix)(0, tiles, BLOCK, in, out, V + p * by_v, BLOCK, 1, tiles * BLOCK, U + p * by_p, by_u, M + p * by_m,
                          tiles * BLOCK);
        NAMED(gather)(tiles, at, count, h, w, outputs, M, bias, slope, other, y);
        for (int64_t t = 0; t < count; t++) advance(&at, h, w);
    }
}

/* dM = A g A' of the 2 × 2 pixels of each of `count` tiles, and 0 of those that are missing. */
INLINE void NAMED(spread_back)(struct place at, int64_t count, int64_t h, int64_t w, int64_t channels, const float *g, float *M) {
    int64_t apart = APART(MORE_TILES, channels / BLOCK);
    for (int64_t t = 0; t < MORE_TILES; t++, advance(&at, h, w)) {
        const float *start = g + ((at.image * h + at.row) * w + at.column) * channels;
        int64_t rows = t < count ? h - at.row : 0, columns = w - at.column;
        for (int64_t v = 0; v < channels; v += LANES) {
            vec s[2][4];
            for (int r = 0; r < 2; r++) {
                const float *p = start + r * w * channels + v;
                vec a = r < rows ? *(NAMED(loose) *)p : (vec){0}, b = r < rows && columns > 1 ? *(NAMED(loose) *)(p + channels) : (vec){0};
                s[r][0] = a, s[r][1] = a + b, s[r][2] = a - b, s[r][3] = -b;
            }
            float *m = M + (v / BLOCK * MORE_TILES + t) * BLOCK + v % BLOCK;
            for (int c = 0; c < 4; c++, m += apart) {
                *(vec *)m = s[0][c];
                *(vec *)(m + 4 * apart) = s[0][c] + s[1][c];
                *(vec *)(m + 8 * apart) = s[0][c] - s[1][c];
                *(vec *)(m + 12 * apart) = -s[1][c];
            }
        }
    }
}

/* dU and the bias's gradient, to which those of these images are added. */
TARGET static void NAMED(convolve_weights)(int64_t n, int64_t h, int64_t w, int64_t inputs, int64_t outputs, const float *x,
                                           const float *g, float *dU, float *by_bias, float *room) {
    int64_t all = n * ((h + 1) / 2) * ((w + 1) / 2), in = inputs / BLOCK, out = outputs / BLOCK, by_u = inputs * BLOCK;
    int64_t by_v = APART(MORE_TILES, in), by_m = APART(MORE_TILES, out), by_p = APART(inputs, out);
    float *V = taken(&room, 16 * by_v), *M = room;
    struct place at = {0};
    for (int64_t first = 0; first < all; first += MORE_TILES) {
        int64_t count = all - first < MORE_TILES ? all - first : MORE_TILES;
        if (count < MORE_TILES) memset(V, 0, 4 * 16 * by_v); /* what is missing counts 0 times, which of NaN would be NaN */
        NAMED(spread)(MORE_TILES, at, count, h, w, inputs, x, V);
        NAMED(spread_back)(at, count, h, w, outputs, g, M);
        for (int64_t p = 0; p < 16; p++)
            for (int64_t i = 0; i < in; i++)
                NAMED(matrix)(1, BLOCK, MORE_TILES, 1, out, V + p * by_v + i * MORE_TILES * BLOCK, 1, BLOCK, 0, M + p * by_m,
                              MORE_TILES * BLOCK, dU + p * by_p + i * BLOCK * BLOCK, by_u);
        for (int64_t v = 0; v < outputs; v += LANES) /* at the fifth position stands the sum of all four pixels */
            for (int64_t t = 0; t < MORE_TILES; t++)
                *(vec *)(by_bias + v) += *(vec *)(M + 5 * by_m + (v / BLOCK * MORE_TILES + t) * BLOCK + v % BLOCK);
        for (int64_t t = 0; t < count; t++) advance(&at, h, w);
    }
}

/* Set y of each layer, of images `from` up to `to`. */
TARGET void NAMED(pass_on)(const struct chain *chain, int64_t from, int64_t to) {
    int64_t h = chain->h, w = chain->w, last = chain->layers, some = images_at_once(chain), pixels = h * w;
    const int64_t *channels = chain->channels;
    float *room = chain->room, *U[last], *biases[last];
    float *a = taken(&room, some * pixels * most_channels(chain)), *end = taken(&room, some * pixels * most_channels(chain));
    for (int64_t l = 0; l < last; l++) {
        int64_t in = channels[l], out = channels[l + 1];
        U[l] = taken(&room, 16 * APART(WHOLE(in), BLOCKS(out))), biases[l] = taken(&room, WHOLE(out));
        memset(biases[l], 0, 4 * WHOLE(out));
        memcpy(biases[l], chain->biases[l], 4 * out);
        NAMED(turn)(in, out, 9, 9 * in, 0, chain->weights[l], U[l]);
    }
    int carried = chain->enlarged || channels[last] % BLOCK;
    for (; from < to; from += some) {
        int64_t n = to - from < some ? to - from : some;
        for (int64_t l = 0; l < last; l++) {
            int64_t in = channels[l], count = n * pixels * in;
            memcpy(a, chain->y[l] + from * pixels * in, 4 * count);
            NAMED(activate)(chain->activation, count, a, end);
            const float *other = l == last - 1 && chain->residual ? chain->y[0] + from * pixels * channels[0] : 0;
            float *y = l == last - 1 && carried ? end : chain->y[l + 1] + from * pixels * channels[l + 1];
            NAMED(convolve)(n, h, w, in, WHOLE(channels[l + 1]), a, U[l], biases[l], 0, other, y, room);
        }
        if (carried) carry(chain, n, end, chain->y[last] + from * pixels * channels[last], 1);
    }
}

/* Set by_x and the gradients of the weights and biases, of images `from` up to `to`. */
TARGET void NAMED(pass_back)(const struct chain *chain, int64_t from, int64_t to) {
    int64_t h = chain->h, w = chain->w, last = chain->layers, some = images_at_once(chain), pixels = h * w;
    const int64_t *channels = chain->channels;
    float *room = chain->room, *U[last], *dU[last], *biases[last], *between[4];
    for (int i = 0; i < 4; i++) between[i] = taken(&room, some * pixels * most_channels(chain));
    for (int64_t l = 0; l < last; l++) {
        int64_t in = channels[l], out = channels[l + 1], size = 16 * APART(WHOLE(in), BLOCKS(out));
        U[l] = taken(&room, 16 * APART(WHOLE(out), BLOCKS(in)));
        dU[l] = taken(&room, size), biases[l] = taken(&room, WHOLE(out));
        memset(dU[l], 0, 4 * size);
        memset(biases[l], 0, 4 * WHOLE(out));
        NAMED(turn)(out, in, 9 * in, 9, 1, chain->weights[l], U[l]);
    }
    int carried = chain->enlarged || channels[last] % BLOCK;
    float *a = between[0], *d = between[1];
    for (; from < to; from += some) {
        int64_t n = to - from < some ? to - from : some;
        float *end = chain->g + from * pixels * channels[last], *g = end;
        if (carried) carry(chain, n, between[2], end, 0), g = between[2];
        for (int64_t l = last - 1; l >= 0; l--) {
            int64_t in = channels[l], out = WHOLE(channels[l + 1]), count = n * pixels * in;
            memcpy(a, chain->y[l] + from * pixels * in, 4 * count);
            NAMED(activate)(chain->activation, count, a, d);
            NAMED(convolve_weights)(n, h, w, in, out, a, g, dU[l], biases[l], room);
            float *before = l ? between[2 + l % 2] : chain->by_x + from * pixels * in;
            NAMED(convolve)(n, h, w, out, in, g, U[l], 0, chain->activation ? d : 0, l || !chain->residual ? 0 : end, before, room);
            g = before;
        }
    }
    for (int64_t l = 0; l < last; l++) {
        NAMED(turn_back)(channels[l], channels[l + 1], dU[l], chain->by_weights[l]);
        memcpy(chain->by_biases[l], biases[l], 4 * channels[l + 1]);
    }
}
