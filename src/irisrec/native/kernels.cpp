// Scores of the item-similarity models and their gradients, one panel of candidates at a time: what belongs to pairs
// of items stays in the cache. docs/performance.md derives what each part costs at best.
//
// Threads that call a function with the same arguments share its work through `next`. The work is divided in the same
// way however many they are, and so the numbers are the same.

#include <cstdint>
#include <cstdlib>
#include <cstring>

#if defined(__AVX512BF16__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define LANES 16
#define ACCUMULATORS 24  // of 32 registers
#elif defined(__AVX__)
#define LANES 8
#define ACCUMULATORS 12
#else
#define LANES 4
#define ACCUMULATORS 12
#endif

typedef float V __attribute__((vector_size(LANES * 4)));
typedef int32_t I __attribute__((vector_size(LANES * 4)));
typedef float Anywhere __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef uint32_t Twin __attribute__((may_alias));  // two neighbouring bfloat16 numbers, the first one below

namespace {

constexpr int kGroup = 24;      // rows that lie together in packed tables
constexpr int kForward = 2;     // vectors of a panel whose pairs with all rows are to lie in the second-level cache
constexpr int kBackward = 4;    // of a panel that goes through some rows at a time
constexpr int64_t kRows = 96;   // at a time
constexpr int64_t kColumns = 2 * 16;  // that are spread to at a time: their b and gradients lie in the first-level cache
#if defined(__AVX512BF16__)
constexpr bool kTwins = true;
#else
constexpr bool kTwins = false;
#endif
constexpr float kSpread = 80, kLargest = 80;  // as in pair_block.py

inline V load(const float* p) { return *(const Anywhere*)p; }
inline void store(float* p, V x) { *(Anywhere*)p = x; }
inline V all(float x) { return x - V{}; }
inline V larger(V x, V y) { return x > y ? x : y; }
inline V smaller(V x, V y) { return x < y ? x : y; }
inline int64_t least(int64_t x, int64_t y) { return x < y ? x : y; }
inline int64_t take(int64_t* next) { return __atomic_fetch_add(next, 1, __ATOMIC_RELAXED); }

inline V load_some(const float* p, int64_t n) {
    if (n >= LANES) return load(p);
    V x{};
    if (n > 0) memcpy(&x, p, n * sizeof(float));
    return x;
}

inline void store_some(float* p, V x, int64_t n) {
    if (n >= LANES) store(p, x);
    else if (n > 0) memcpy(p, &x, n * sizeof(float));
}

struct Scratch {
    float* at;
    explicit Scratch(int64_t n) : at((float*)aligned_alloc(64, (n * sizeof(float) + 63) / 64 * 64)) {}
    ~Scratch() { free(at); }
    operator float*() const { return at; }
};

// e^x for x <= 88, 0 below -87: Taylor's polynomial for |r| <= ln 2 / 2, times a power of two
inline V exponential(V x) {
    const V y = larger(x, all(-87.0f));
    const V n = (y * all(1.44269504f) + all(12582912.0f)) - all(12582912.0f);  // the nearest whole number
    const V r = (y - n * all(0.693359375f)) + n * all(2.12194440e-4f);
    V s = all(1.0f / 5040);
    s = s * r + all(1.0f / 720);
    s = s * r + all(1.0f / 120);
    s = s * r + all(1.0f / 24);
    s = s * r + all(1.0f / 6);
    s = s * r + all(0.5f);
    s = s * r + all(1.0f);
    s = s * r + all(1.0f);
    const V scale = (V)((__builtin_convertvector(n, I) + 127) << 23);
    return x < all(-87.0f) ? V{} : s * scale;
}

// ln x for x > 0: with x = m 2^e and m from sqrt(1/2) to sqrt(2), the series in (m - 1) / (m + 1)
inline V logarithm(V x) {
    const I tiny = x < all(1e-30f);
    x = tiny ? x * all(1.8446744e19f) : x;  // 2^64
    const I shifted = (I)x - 0x3f3504f3;    // sqrt(1/2)
    const V e = __builtin_convertvector(shifted >> 23, V) - (tiny ? all(64.0f) : V{});
    const V m = (V)((I)x - (shifted & (I{} - 0x800000)));
    const V t = (m - all(1.0f)) / (m + all(1.0f)), u = t * t;
    V s = all(2.0f / 9);
    s = s * u + all(2.0f / 7);
    s = s * u + all(2.0f / 5);
    s = s * u + all(2.0f / 3);
    s = s * u + all(2.0f);
    return s * t + e * all(0.69314718f);
}

// the nearest bfloat16 number, of two equally near the even one
inline float rounded(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (x == x) bits += 0x7fff + (bits >> 16 & 1);
    bits &= 0xffff0000;
    memcpy(&x, &bits, sizeof bits);
    return x;
}

inline uint32_t twin(const float* x) {  // of two rounded numbers
    uint32_t bits[2];
    memcpy(bits, x, sizeof bits);
    return bits[0] >> 16 | bits[1];
}

// rows first to first + W of a table, as (D, W)
template <int W>
void turn(const float* table, int64_t D, int64_t first, float* panel) {
    for (int64_t j = 0; j < W; j++)
        for (int64_t d = 0; d < D; d++) panel[d * W + j] = table[(first + j) * D + d];
}

// LOGITS: h.relu(a + b) = h.a + h.max(b, -a), an addition less for every unit; else the products p.q
template <int MR, int NV, bool LOGITS>
void pairs_tile(const float* group, const float* panel, const float* h, const float* base, int64_t D, float* to,
                int64_t stride) {
    V sum[MR][NV] = {};
    for (int64_t d = 0; d < D; d++) {
        V b[NV];
        for (int v = 0; v < NV; v++) b[v] = load(panel + (d * NV + v) * LANES);
        const V weight = LOGITS ? all(h[d]) : V{};
#pragma GCC unroll 24
        for (int m = 0; m < MR; m++) {
            const V a = all(group[d * kGroup + m]);
#pragma GCC unroll 4
            for (int v = 0; v < NV; v++) sum[m][v] += LOGITS ? weight * larger(b[v], a) : a * b[v];
        }
    }
#pragma GCC unroll 24
    for (int m = 0; m < MR; m++)
#pragma GCC unroll 4
        for (int v = 0; v < NV; v++)
            store(to + m * stride + v * LANES, LOGITS ? sum[m][v] + all(base[m]) : sum[m][v]);
}

// the same products of factors that are rounded, two of them in one instruction
template <int MR, int NV>
void twins_tile(const Twin* group, const Twin* panel, int64_t half, float* to, int64_t stride) {
#if defined(__AVX512BF16__)
    __m512 sum[MR][NV] = {};
    for (int64_t d = 0; d < half; d++) {
        __m512i b[NV];
        for (int v = 0; v < NV; v++) b[v] = _mm512_loadu_si512(panel + (d * NV + v) * LANES);
#pragma GCC unroll 24
        for (int m = 0; m < MR; m++) {
            const __m512i a = _mm512_set1_epi32(group[d * kGroup + m]);
#pragma GCC unroll 4
            for (int v = 0; v < NV; v++) sum[m][v] = _mm512_dpbf16_ps(sum[m][v], (__m512bh)a, (__m512bh)b[v]);
        }
    }
#pragma GCC unroll 24
    for (int m = 0; m < MR; m++)
#pragma GCC unroll 4
        for (int v = 0; v < NV; v++) _mm512_storeu_ps(to + m * stride + v * LANES, sum[m][v]);
#endif
}

}  // namespace

extern "C" {

struct Sides {  // what pairs are made from, in tables that are padded with zeros to whole groups, panels and vectors
    const float *a, *base, *b, *h;     // -a (R, D), h.a (R,), b (C, D), h (D,)
    const float *p, *q;                // (R, K), (C, K)
    const float *a_groups, *p_groups;  // -a and p as (R / 24, width, 24)
    const int32_t* same;               // (n_columns,) the row of the same item; -1 where there is none
    int64_t R, C, D, K, n_rows, n_columns;  // the last two without padding
    int64_t are_rounded;                    // p and q; where there are twins, the groups of p then hold them
};

struct Lists {  // n lists of rows of a table, one after another
    const int32_t* items;
    const int64_t* offsets;  // (n + 1,)
    const float* weights;    // of the items; may be null
    int64_t n;
};
}

namespace {

// q of a panel, as (K, W), or as twins (K / 2, W)
template <int W>
void turn_factors(const Sides& s, int64_t first, float* panel) {
    if (!kTwins || !s.are_rounded) return turn<W>(s.q, s.K, first, panel);
    Twin* to = (Twin*)panel;
    for (int64_t j = 0; j < W; j++)
        for (int64_t d = 0; d < s.K / 2; d++) to[d * W + j] = twin(s.q + (first + j) * s.K + 2 * d);
}

// logits and similarities of rows start to stop: (rows, 2, W)
template <int NV>
void pairs_of(const Sides& s, int64_t start, int64_t stop, const float* b, const float* q, float* to) {
    constexpr int MR = ACCUMULATORS / NV, stride = 2 * NV * LANES;
    for (int64_t i = start; i < stop; i += kGroup)
        for (int m = 0; m < kGroup; m += MR, to += MR * stride) {
            pairs_tile<MR, NV, true>(s.a_groups + i * s.D + m, b, s.h, s.base + i + m, s.D, to, stride);
            if (kTwins && s.are_rounded)
                twins_tile<MR, NV>((Twin*)(s.p_groups + i * s.K) + m, (Twin*)q, s.K / 2, to + NV * LANES, stride);
            else
                pairs_tile<MR, NV, false>(s.p_groups + i * s.K + m, q, nullptr, nullptr, s.K, to + NV * LANES, stride);
        }
}

// of lists start to stop the sums of N vectors of the rows of a table
template <int N, typename Use>
void sums_of(const Lists& lists, int64_t start, int64_t stop, const float* table, Use use) {
    for (int64_t u = start; u < stop; u++) {
        V sum[N] = {};
        const int64_t end = lists.offsets[u + 1];
        if (lists.weights) {
            for (int64_t k = lists.offsets[u]; k < end; k++) {
                const float* row = table + lists.items[k] * int64_t(N * LANES);
                for (int v = 0; v < N; v++) sum[v] += all(lists.weights[k]) * load(row + v * LANES);
            }
        } else {
            for (int64_t k = lists.offsets[u]; k < end; k++) {
                const float* row = table + lists.items[k] * int64_t(N * LANES);
                for (int v = 0; v < N; v++) sum[v] += load(row + v * LANES);
            }
        }
        use(u, sum);
    }
}

// (1 - beta) highest - beta ln denominator, what a numerator is multiplied by e to the power of
inline V exponent_of(V denominator, V highest, float beta) {
    return all(1 - beta) * highest - all(beta) * (denominator == V{} ? V{} : logarithm(denominator));
}

// sum_j G_ij 1[a_i + b_j > 0] to the rows and sum_i to the columns
template <int NV>
void spread(const float* a, const float* b, const float* gradient, int64_t stride, float* rows, float* columns,
            int64_t n_rows, int64_t n_columns, int64_t D) {
    constexpr int MR = ACCUMULATORS > 12 ? 4 : 2;
    for (int64_t i = 0; i < n_rows; i += MR) {
        const float *mine = a + i * D, *g = gradient + i * stride;
        V sum[MR][NV];
        for (int m = 0; m < MR; m++)
            for (int v = 0; v < NV; v++) sum[m][v] = load(rows + (i + m) * D + v * LANES);
        for (int64_t j = 0; j < n_columns; j++) {
            V other[NV], s[NV];
            for (int v = 0; v < NV; v++) {
                other[v] = load(b + j * D + v * LANES);
                s[v] = load(columns + j * D + v * LANES);
            }
#pragma GCC unroll 4
            for (int m = 0; m < MR; m++) {
                const V x = all(g[m * stride + j]);
#pragma GCC unroll 4
                for (int v = 0; v < NV; v++) {
                    const I on = other[v] > load(mine + m * D + v * LANES);
                    sum[m][v] = on ? sum[m][v] + x : sum[m][v];
                    s[v] = on ? s[v] + x : s[v];
                }
            }
            for (int v = 0; v < NV; v++) store(columns + j * D + v * LANES, s[v]);
        }
        for (int m = 0; m < MR; m++)
            for (int v = 0; v < NV; v++) store(rows + (i + m) * D + v * LANES, sum[m][v]);
    }
}

// sum_j x_ij y_j to the rows, x_ij lying at i own + j other
template <int NV>
void accumulate(const float* x, int64_t own, int64_t other, const float* y, float* rows, int64_t n_rows, int64_t n,
                int64_t D) {
    constexpr int MR = ACCUMULATORS > 12 ? 4 : 2;
    for (int64_t i = 0; i < n_rows; i += MR) {
        V sum[MR][NV];
        for (int m = 0; m < MR; m++)
            for (int v = 0; v < NV; v++) sum[m][v] = load(rows + (i + m) * D + v * LANES);
        for (int64_t j = 0; j < n; j++) {
            V part[NV];
            for (int v = 0; v < NV; v++) part[v] = load(y + j * D + v * LANES);
#pragma GCC unroll 4
            for (int m = 0; m < MR; m++) {
                const V weight = all(x[(i + m) * own + j * other]);
#pragma GCC unroll 4
                for (int v = 0; v < NV; v++) sum[m][v] += weight * part[v];
            }
        }
        for (int m = 0; m < MR; m++)
            for (int v = 0; v < NV; v++) store(rows + (i + m) * D + v * LANES, sum[m][v]);
    }
}

// calls wide for each four vectors of a width, narrow for each one that is left
template <typename Wide, typename Narrow>
void in_vectors(int64_t D, Wide wide, Narrow narrow) {
    int64_t d = 0;
    for (; d + 4 * LANES <= D; d += 4 * LANES) wide(d);
    for (; d < D; d += LANES) narrow(d);
}

template <int NV>
void gradients_of_sides(const Sides& s, int64_t start, int64_t n, int64_t first, const float* pairs, float* rows,
                        float* columns, int64_t d) {
    constexpr int64_t W = kBackward * LANES;
    for (int64_t j = 0; j < W; j += kColumns)
        spread<NV>(s.a + start * s.D + d, s.b + (first + j) * s.D + d, pairs + j, 2 * W, rows + start * s.D + d,
                   columns + (first + j) * s.D + d, n, least(kColumns, W - j), s.D);
}

template <int NV>
void gradients_of_factors(const Sides& s, int64_t start, int64_t n, int64_t first, const float* pairs, float* rows,
                          float* columns, int64_t k) {
    constexpr int64_t W = kBackward * LANES;
    accumulate<NV>(pairs + W, 2 * W, 1, s.q + first * s.K + k, rows + start * s.K + k, n, W, s.K);
    accumulate<NV>(pairs + W, 1, 2 * W, s.p + start * s.K + k, columns + first * s.K + k, W, n, s.K);
}

}  // namespace

extern "C" {

// scores (n, n_columns) of n histories, and where numerators is not null what the gradients need: both sums as
// (panels, n, W) and the highest logits (C,). Sets unsafe where one maximum per column would underflow.
void attended(int64_t* next, const Sides* sides, const Lists* histories, float beta, float* scores,
              float* numerators, float* denominators, float* highest, int32_t* unsafe) {
    const Sides& s = *sides;
    constexpr int NV = kForward;
    constexpr int64_t W = NV * LANES;
    const Scratch table(2 * s.R * W), b(s.D * W), q(s.K * W);
    for (int64_t first; (first = take(next) * W) < s.C && !*unsafe;) {
        const int64_t width = least(W, s.n_columns - first);
        turn<W>(s.b, s.D, first, b);
        turn_factors<W>(s, first, q);
        pairs_of<NV>(s, 0, s.R, b, q, table);
        for (int64_t j = 0; j < width && s.n_rows > 1; j++)  // an item's pair with itself must not be the highest
            if (const int32_t row = s.same[first + j]; row >= 0) table[row * 2 * W + j] = table[(row ? 0 : 2 * W) + j];
        V high[NV], low[NV], finite[NV] = {};
        for (int v = 0; v < NV; v++) high[v] = all(-__builtin_inff()), low[v] = all(__builtin_inff());
        for (int64_t i = 0; i < s.n_rows; i++)
            for (int v = 0; v < NV; v++) {
                const V x = load(table + i * 2 * W + v * LANES);
                high[v] = larger(x, high[v]), low[v] = smaller(x, low[v]), finite[v] += x * V{};
            }
        for (int v = 0; v < NV; v++) {
            const I safe = (high[v] - low[v] <= all(kSpread)) & (finite[v] == V{});
            for (int64_t j = 0; j < LANES; j++)
                if (v * LANES + j < width && !safe[j]) *unsafe = 1;
            store(highest + first + v * LANES, high[v]);
        }
        for (int64_t i = 0; i < s.n_rows; i++)
            for (int v = 0; v < NV; v++) {
                float* place = table + i * 2 * W + v * LANES;
                const V e = exponential(load(place) - high[v]);
                store(place, e), store(place + W, e * load(place + W));
            }
        for (int64_t j = 0; j < width; j++)
            if (const int32_t row = s.same[first + j]; row >= 0)
                table[row * 2 * W + j] = table[row * 2 * W + W + j] = 0;
        sums_of<2 * NV>(*histories, 0, histories->n, table, [&](int64_t u, const V* sum) {
            for (int v = 0; v < NV; v++) {
                const int64_t at = first * histories->n + u * W + v * LANES;
                if (numerators) store(numerators + at, sum[NV + v]), store(denominators + at, sum[v]);
                const V exponent = smaller(exponent_of(sum[v], high[v], beta), all(kLargest));
                store_some(scores + u * s.n_columns + first + v * LANES, sum[NV + v] * exponential(exponent),
                           width - v * LANES);
            }
        });
    }
}

// gradients by the logits of all pairs summed where a_i + b_j > 0: of_a (parts, R, D), of_b (C, D); and by the factors:
// of_p (parts, R, K), of_q (C, K). Columns must be zero before; owners are the lists of users of each row.
void attended_gradients(int64_t* next, const Sides* sides, const Lists* owners, float beta, int64_t n_users,
                        const float* gradient, const float* numerators, const float* denominators,
                        const float* highest, float* of_a, float* of_b, float* of_p, float* of_q, int64_t parts) {
    const Sides& s = *sides;
    constexpr int NV = kBackward;
    constexpr int64_t W = NV * LANES, narrow = kForward * LANES;
    const int64_t n_panels = s.C / W;
    const Scratch sums(2 * n_users * W), pairs(2 * kRows * W), b(s.D * W), q(s.K * W);
    for (int64_t part; (part = take(next)) < parts;) {
        float *rows_a = of_a + part * s.R * s.D, *rows_p = of_p + part * s.R * s.K;
        memset(rows_a, 0, s.R * s.D * sizeof(float)), memset(rows_p, 0, s.R * s.K * sizeof(float));
        for (int64_t panel = part * n_panels / parts; panel < (part + 1) * n_panels / parts; panel++) {
            const int64_t first = panel * W, width = least(W, s.n_columns - first);
            turn<W>(s.b, s.D, first, b);
            turn_factors<W>(s, first, q);
            for (int64_t u = 0; u < n_users; u++)
                for (int v = 0; v < NV; v++) {
                    const float* place = gradient + u * s.n_columns + first + v * LANES;
                    __builtin_prefetch(place + 8 * s.n_columns);
                    const int64_t column = first + v * LANES;
                    const int64_t at = column / narrow * narrow * n_users + u * narrow + column % narrow;
                    const V numerator = load(numerators + at), denominator = load(denominators + at);
                    const V exponent = exponent_of(denominator, load(highest + column), beta);
                    const V x = load_some(place, width - v * LANES) * exponential(smaller(exponent, all(kLargest)));
                    const I moves = (denominator != V{}) & (exponent <= all(kLargest));
                    store(sums + u * 2 * W + v * LANES, x);
                    store(sums + u * 2 * W + W + v * LANES, moves ? all(-beta) * x * numerator / denominator : V{});
                }
            for (int64_t start = 0; start < s.R; start += kRows) {
                const int64_t stop = least(start + kRows, s.R), end = least(stop, s.n_rows);
                pairs_of<NV>(s, start, stop, b, q, pairs);
                sums_of<2 * NV>(*owners, start, end, sums, [&](int64_t i, const V* sum) {
                    float* place = pairs + (i - start) * 2 * W;
                    for (int v = 0; v < NV; v++, place += LANES) {
                        const V e = exponential(load(place) - load(highest + first + v * LANES));
                        store(place, e * (sum[NV + v] + sum[v] * load(place + W)));
                        store(place + W, e * sum[v]);
                    }
                });
                if (end < stop) memset(pairs + (end - start) * 2 * W, 0, (stop - end) * 2 * W * sizeof(float));
                for (int64_t j = 0; j < width; j++)
                    if (const int64_t row = s.same[first + j] - start; row >= 0 && row < stop - start)
                        pairs[row * 2 * W + j] = pairs[row * 2 * W + W + j] = 0;
                const int64_t n = stop - start;
                in_vectors(
                    s.D, [&](int64_t d) { gradients_of_sides<4>(s, start, n, first, pairs, rows_a, of_b, d); },
                    [&](int64_t d) { gradients_of_sides<1>(s, start, n, first, pairs, rows_a, of_b, d); });
                in_vectors(
                    s.K, [&](int64_t k) { gradients_of_factors<4>(s, start, n, first, pairs, rows_p, of_q, k); },
                    [&](int64_t k) { gradients_of_factors<1>(s, start, n, first, pairs, rows_p, of_q, k); });
            }
        }
    }
}

// logits (n_rows, n_columns) of all pairs
void logits(int64_t* next, const Sides* sides, float* to) {
    const Sides& s = *sides;
    constexpr int NV = kBackward, MR = ACCUMULATORS / NV;
    constexpr int64_t W = NV * LANES;
    const Scratch b(s.D * W), tile(MR * W);
    for (int64_t first; (first = take(next) * W) < s.C;) {
        turn<W>(s.b, s.D, first, b);
        for (int64_t i = 0; i < s.n_rows; i += MR) {
            const int64_t group = i / kGroup * kGroup;
            pairs_tile<MR, NV, true>(s.a_groups + group * s.D + i - group, b, s.h, s.base + i, s.D, tile, W);
            for (int64_t m = 0; m < least(MR, s.n_rows - i); m++)
                memcpy(to + (i + m) * s.n_columns + first, tile + m * W,
                       least(W, s.n_columns - first) * sizeof(float));
        }
    }
}

// rows of a table (., D), those at places or the first n where that is null, times factor, rounded if asked for: padded
// with zeros to (n_padded, width), and the same as (n_padded / 24, width, 24), or as twins (n_padded / 24, width / 2, 24)
// in the first half of each group, where groups is not null
void packed(int64_t* next, const float* table, const int64_t* places, int64_t n, int64_t D, float factor,
            int32_t is_rounded, int64_t n_padded, int64_t width, float* to, float* groups) {
    for (int64_t start; (start = take(next) * kGroup) < n_padded;)
        for (int64_t i = start; i < least(start + kGroup, n_padded); i++) {
            const float* from = table + (places && i < n ? places[i] : i) * D;
            const int64_t there = i < n ? D : 0;
            float* row = to + i * width;
            for (int64_t d = 0; d < there; d++) row[d] = factor * from[d];
            for (int64_t d = there; d < width; d++) row[d] = 0;
            if (is_rounded)
                for (int64_t d = 0; d < there; d++) row[d] = rounded(row[d]);
            if (!groups) continue;
            float* place = groups + start * width + i - start;
            if (kTwins && is_rounded)
                for (int64_t d = 0; d < width / 2; d++) ((Twin*)place)[d * kGroup] = twin(row + 2 * d);
            else
                for (int64_t d = 0; d < width; d++) place[d * kGroup] = row[d];
        }
}

// sums the parts (n_parts, n_padded, width) into the first one, and adds the first n rows and D columns of it, times
// factors (width,) where that is not null, to rows of a table (., D): those at places, all different, or the first n
void unpacked(int64_t* next, float* parts, int64_t n_parts, int64_t n_padded, int64_t width, const float* factors,
              int64_t n, int64_t D, const int64_t* places, float* to) {
    for (int64_t start; (start = take(next) * kGroup) < n;)
        for (int64_t i = start; i < least(start + kGroup, n); i++) {
            float *sum = parts + i * width, *row = to + (places ? places[i] : i) * D;
            for (int64_t part = 1; part < n_parts; part++)
                for (int64_t d = 0; d < width; d++) sum[d] += sum[part * n_padded * width + d];
            if (factors)
                for (int64_t d = 0; d < D; d++) row[d] += factors[d] * sum[d];
            else
                for (int64_t d = 0; d < D; d++) row[d] += sum[d];
        }
}

// sums (n, C) of the rows of a table (R, C) over n lists
void row_sums(int64_t* next, const float* table, int64_t R, int64_t C, const Lists* lists, float* to) {
    constexpr int NV = kForward;
    constexpr int64_t W = NV * LANES;
    const Scratch panel(R * W);
    for (int64_t first; (first = take(next) * W) < C;) {
        for (int64_t i = 0; i < R; i++)
            for (int v = 0; v < NV; v++) {
                const float* place = table + i * C + first + v * LANES;
                __builtin_prefetch(place + 16 * C);
                store(panel + i * W + v * LANES, load_some(place, C - first - v * LANES));
            }
        sums_of<NV>(*lists, 0, lists->n, panel, [&](int64_t u, const V* sum) {
            for (int v = 0; v < NV; v++)
                store_some(to + u * C + first + v * LANES, sum[v], C - first - v * LANES);
        });
    }
}

// per row of n the log loss of logits x where positive, -x elsewhere, there times counts, and its gradient
void log_loss(int64_t* next, const float* scores, const uint8_t* positive, const float* counts, int64_t n, int64_t C,
              double* losses, float* gradient) {
    for (int64_t i; (i = take(next)) < n;) {
        double sum = 0;
        for (int64_t j = 0; j < C; j += LANES) {
            const int64_t at = i * C + j, width = least(LANES, C - j);
            const V score = load_some(scores + at, width), count = load_some(counts + at, width);
            I had{};
            for (int64_t k = 0; k < width; k++) had[k] = -positive[at + k];
            const V x = had ? -score : score, weight = had ? all(1.0f) : count;
            const V size = larger(x, -x), e = exponential(-size), missing = x == x ? V{} : x;
            // ln(1 + e) = 2 artanh(e / (2 + e))
            const V t = e / (all(2.0f) + e), u = t * t;
            V s = all(2.0f / 15);
            for (int k = 13; k > 0; k -= 2) s = s * u + all(2.0f / k);
            const V loss = weight * (larger(x, V{}) + s * t + missing);
            const V slope = weight * ((x > V{} ? all(1.0f) : e) / (all(1.0f) + e) + missing);
            store_some(gradient + at, had ? -slope : slope, width);
            float parts = 0;
            for (int64_t k = 0; k < width; k++) parts += loss[k];
            sum += parts;
        }
        losses[i] = sum;
    }
}

// for each of n_rows rows the lists that have it, ascending: offsets (n_rows + 1,), all zero before
void turned(const Lists* lists, int64_t n_rows, int32_t* owners, int64_t* offsets, float* weights) {
    const int64_t n = lists->offsets[lists->n];
    for (int64_t k = 0; k < n; k++) offsets[lists->items[k] + 1]++;
    for (int64_t i = 0; i < n_rows; i++) offsets[i + 1] += offsets[i];
    int64_t* ends = (int64_t*)malloc((n_rows + 1) * sizeof(int64_t));
    memcpy(ends, offsets, n_rows * sizeof(int64_t));
    for (int64_t u = 0; u < lists->n; u++)
        for (int64_t k = lists->offsets[u]; k < lists->offsets[u + 1]; k++) {
            const int64_t place = ends[lists->items[k]]++;
            owners[place] = u;
            if (weights) weights[place] = lists->weights[k];
        }
    free(ends);
}
}
