"""Live pictures: one ring reader per watched camera, passed through to WebRTC, never transcoded."""
