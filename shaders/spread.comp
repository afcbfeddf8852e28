#version 430
// Purpose: the horizontal half of an upscale: (source width x source height) -> (canvas width x source height).
// Inputs:  source: display-referred RGB, row 0 on top; gain: the picture's share of the mix.
// Source:  resample.glsl, along x. Invocations of a work group walk down the lines, so that weights are uniform.

layout(local_size_x = 16) in;
layout(rgba16f, binding = 0) writeonly uniform image2D wide;
uniform sampler2D source;
uniform float gain;

#define SAMPLE(p, index) texelFetch(source, ivec2(min(index, last.x), min(y, last.y)), 0).rgb
#include "resample.glsl"

void main() {
    ivec2 last = textureSize(source, 0) - 1;
    int y = int(gl_GlobalInvocationID.x);
    int group = int(gl_WorkGroupID.y);
    int x = (blocks.x + blocks.y * group) * ROWS;
    vec3 sums[ROWS];
    for (int row = 0; row < ROWS; ++row) sums[row] = vec3(0.0);
    EVERY_TAP
    // Stores outside the image are discarded by the standard: no tests needed at the edges.
    for (int row = 0; row < ROWS; ++row) imageStore(wide, ivec2(x + row, y), vec4(sums[row] * gain, 1.0));
}
