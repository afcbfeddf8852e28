#version 430
// Purpose: the horizontal half of an upscale: (source width x source height) -> (canvas width x source height).
// Inputs:  source: display-referred RGB, row 0 on top; gain: the picture's share of the mix.
// Source:  resample.glsl, along x. Invocations of a work group walk down the rows, so that weights are uniform.

layout(local_size_x = 16) in;
layout(rgba16f, binding = 0) writeonly uniform image2D wide;
uniform sampler2D source;
uniform float gain;

#define SAMPLE(p, index) texelFetch(source, ivec2(min(index, last.x), y), 0).rgb
#include "resample.glsl"

void main() {
    ivec2 last = textureSize(source, 0) - 1;
    int row = int(gl_GlobalInvocationID.x);
    int y = min(row, last.y);
    int group = int(gl_WorkGroupID.y);
    int x = (blocks.x + blocks.y * group) * 8;
    EVERY_TAP
    // Stores outside the image are discarded by the standard: no tests needed at the edges.
    imageStore(wide, ivec2(x, row), vec4(sum0 * gain, 1.0));
    imageStore(wide, ivec2(x + 1, row), vec4(sum1 * gain, 1.0));
    imageStore(wide, ivec2(x + 2, row), vec4(sum2 * gain, 1.0));
    imageStore(wide, ivec2(x + 3, row), vec4(sum3 * gain, 1.0));
    imageStore(wide, ivec2(x + 4, row), vec4(sum4 * gain, 1.0));
    imageStore(wide, ivec2(x + 5, row), vec4(sum5 * gain, 1.0));
    imageStore(wide, ivec2(x + 6, row), vec4(sum6 * gain, 1.0));
    imageStore(wide, ivec2(x + 7, row), vec4(sum7 * gain, 1.0));
}
