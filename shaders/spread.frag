#version 330
// Purpose: the horizontal half of an upscale, a fragment per pixel: (source width x source height) -> (canvas width x
//          source height). For drivers without compute shaders; spread.comp is the fast way to the same picture.
// Inputs:  source: display-referred RGB, row 0 on top; gain: the picture's share of the mix;
//          shares: a line per target column: the weights of its taps, then the first tap's index.
// Source:  separable resampling as in Heckbert 1989; the kernels are installation/render/kernels.py.

uniform sampler2D source;
uniform sampler2D shares;
uniform float gain;
out vec4 wide;

void main() {
    ivec2 place = ivec2(gl_FragCoord.xy);
    int taps = textureSize(shares, 0).x - 1;
    int first = int(texelFetch(shares, ivec2(taps, place.x), 0).r);
    vec3 sum = vec3(0.0);
    for (int tap = 0; tap < taps; ++tap) {
        sum += texelFetch(source, ivec2(first + tap, place.y), 0).rgb * texelFetch(shares, ivec2(tap, place.x), 0).r;
    }
    wide = vec4(sum * gain, 1.0);
}
