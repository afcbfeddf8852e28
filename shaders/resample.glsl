// Purpose: ROWS neighbouring target pixels of one axis at once. They look at the same TAPS source samples, so each
//          sample is fetched once and used ROWS times; this is what makes software rendering fast enough.
// Inputs:  PICTURES, TAPS, ROWS and EVERY_TAP ("TAP(0, 0) TAP(0, 1) ...", picture by picture), defined by the program;
//          SAMPLE(picture, index), defined by the including shader: sample `index` along the axis, as a vec3;
//          weights: picture by picture, tap by tap, the shares of the ROWS pixels. A program made for the scale of its
//          pictures has them as CONSTANTS, which software rendering reads for nothing; others are told them;
//          blocks: first block and step from work group to work group; bases: the same for each picture's first sample.
// Source:  separable resampling as in Heckbert 1989; the kernels are installation/render/kernels.py.

#ifdef CONSTANTS
const float weights[PICTURES * TAPS * ROWS] = float[](CONSTANTS);
#else
uniform float weights[PICTURES * TAPS * ROWS];
#endif
uniform ivec2 blocks;
uniform ivec2 bases[PICTURES];

#define TAP(p, i) \
    { \
        vec3 texel = SAMPLE(p, bases[p].x + bases[p].y * group + i); \
        for (int row = 0; row < ROWS; ++row) sums[row] += texel * weights[(p * TAPS + i) * ROWS + row]; \
    }
