#version 330
// Purpose: the vertical half of an upscale and the finish, a fragment per pixel, straight to the target. For drivers
//          without compute shaders; paint.comp is the fast way to the same picture.
// Inputs:  PICTURES and EVERY_PICTURE ("PICTURE(0) PICTURE(1) ..."), defined by the program;
//          middle: for each picture, (canvas width x source height), row 0 on top; shares: for each picture, a line per
//          target row: the weights of its taps, then the first tap's index; tile: noise, eight rows to a texel (four
//          uints, low half above high half), moved by `offset`; height: the target's.
// Source:  as spread.frag; finish.glsl.

uniform sampler2D middle[PICTURES];
uniform sampler2D shares[PICTURES];
uniform usampler2D tile;
uniform ivec2 offset;
uniform int height;
out vec4 picture;

#include "finish.glsl"

#define PICTURE(p) \
    { \
        int taps = textureSize(shares[p], 0).x - 1; \
        int first = int(texelFetch(shares[p], ivec2(taps, y), 0).r); \
        for (int tap = 0; tap < taps; ++tap) { \
            vec3 texel = texelFetch(middle[p], ivec2(x, first + tap), 0).rgb; \
            sum += texel * texelFetch(shares[p], ivec2(tap, y), 0).r; \
        } \
    }

void main() {
    int x = int(gl_FragCoord.x);
    int y = height - 1 - int(gl_FragCoord.y);  // framebuffers count rows from the bottom
    vec3 sum = vec3(0.0);
    EVERY_PICTURE
    uvec4 noise = texelFetch(tile, (ivec2(x, y / 8) + offset) & (textureSize(tile, 0) - 1), 0);
    picture = vec4(vec3(finish(sum, noise[y % 8 / 2] >> (y % 2 * 16))) / 255.0, 1.0);
}
