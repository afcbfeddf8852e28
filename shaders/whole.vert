#version 330
// Purpose: one triangle that covers the whole target; no vertex buffer.
// Inputs:  gl_VertexID 0, 1, 2.

void main() {
    vec2 corner = vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0);
    gl_Position = vec4(corner, 0.0, 1.0);
}
