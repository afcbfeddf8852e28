// Purpose: eight neighbouring target pixels of one axis at once. They look at the same TAPS source samples, so each
//          sample is fetched once and used eight times; this is what makes software rendering fast enough.
// Inputs:  PICTURES, TAPS and EVERY_TAP ("TAP(0,0) TAP(0,1) ...", picture by picture), defined by the program;
//          SAMPLE(picture, index), defined by the including shader: sample `index` along the axis, as a vec3;
//          weights: picture by picture, tap by tap, the shares of the eight pixels;
//          blocks: first block and step from work group to work group; bases: the same for each picture's first sample.
// Source:  separable resampling as in Heckbert 1989; the kernels are installation/render/kernels.py.

uniform vec4 weights[PICTURES * TAPS * 2];
uniform ivec2 blocks;
uniform ivec2 bases[PICTURES];

vec3 sum0 = vec3(0.0), sum1 = vec3(0.0), sum2 = vec3(0.0), sum3 = vec3(0.0);
vec3 sum4 = vec3(0.0), sum5 = vec3(0.0), sum6 = vec3(0.0), sum7 = vec3(0.0);

void add_tap(vec3 texel, vec4 low, vec4 high) {
    sum0 += texel * low.x;
    sum1 += texel * low.y;
    sum2 += texel * low.z;
    sum3 += texel * low.w;
    sum4 += texel * high.x;
    sum5 += texel * high.y;
    sum6 += texel * high.z;
    sum7 += texel * high.w;
}

#define TAP(p, i) \
    add_tap(SAMPLE(p, bases[p].x + bases[p].y * group + i), \
            weights[(p * TAPS + i) * 2], weights[(p * TAPS + i) * 2 + 1]);
