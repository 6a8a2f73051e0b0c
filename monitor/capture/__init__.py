"""Reading cameras over RTSP, and the small RTSP server that plays the demo's camera."""
