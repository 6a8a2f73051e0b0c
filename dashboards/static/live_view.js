// The live picture of one camera. WebRTC first; where that cannot be, one still a second.
// Connects while the tile is on screen, reconnects by itself, closes when the page is left.

const FIRST_PICTURE_MS = 8000; // connected but nothing to see for so long: try again
const STALLED_MS = 3000; // no new picture for so long: say so
const GIVE_UP_MS = 12000; // ... and for so long, while the camera is said to send: reconnect
const RETRY_MS = [500, 1000, 2000, 4000, 8000];
const TRY_WEBRTC_AGAIN_MS = 30000;
const FAILURES_BEFORE_STILLS = 2;
const STILL_MS = 1000;

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function gathered(peer) {
  if (peer.iceGatheringState === "complete") return;
  await Promise.race([
    new Promise((done) => {
      peer.addEventListener("icegatheringstatechange", () => {
        if (peer.iceGatheringState === "complete") done();
      });
    }),
    sleep(1000),
  ]);
}

export default {
  template: `
    <div class="cw-live" :data-phase="phase" :data-mode="mode" ref="root">
      <video ref="video" autoplay muted playsinline disablepictureinpicture
             :aria-label="label" v-show="mode === 'webrtc'"></video>
      <img :src="still" :alt="label" v-if="still" v-show="mode === 'stills' || phase === 'connecting'" />
      <div class="cw-live__wait" v-if="active && phase === 'connecting' && !still">
        <span class="cw-spinner"></span><span>{{ words.connecting }}</span>
      </div>
      <div class="cw-live__note" v-if="mode === 'stills' && why">{{ words['why.' + why] }}</div>
    </div>`,
  props: { camera: String, label: String, words: Object, active: Boolean },
  data: () => ({ phase: "idle", mode: "webrtc", why: "", still: "" }),
  mounted() {
    this.failures = 0;
    this.attempt = 0;
    this.run = 0; // each start makes older loops stale
    this.pictures = 0;
    this.pictureAt = 0;
    this.connectedAt = 0;
    this.visible = false;
    this.leave = () => this.stop();
    window.addEventListener("pagehide", this.leave);
    this.observer = new IntersectionObserver(
      (entries) => {
        const visible = entries.some((entry) => entry.isIntersecting);
        if (visible === this.visible) return;
        this.visible = visible;
        if (visible) this.start();
        else this.stop();
      },
      { rootMargin: "200px" },
    );
    this.observer.observe(this.$refs.root);
    this.countPictures();
    this.timer = setInterval(() => this.checkPictures(), 1000);
  },
  beforeUnmount() {
    window.removeEventListener("pagehide", this.leave);
    this.observer.disconnect();
    clearInterval(this.timer);
    this.stop();
    this.gone = true;
  },
  watch: {
    active(active) {
      // The camera is back: do not wait for the next retry.
      if (active && this.visible && this.phase !== "live") this.start();
    },
  },
  methods: {
    start() {
      this.stop();
      if (!this.active) return; // the server says when pictures come again
      this.run += 1;
      this.attempt = 0;
      this.connect(this.run);
    },
    stop() {
      this.run += 1;
      this.close();
      this.phase = "idle";
    },
    close() {
      if (this.peer) {
        this.peer.onconnectionstatechange = null;
        this.peer.close();
        this.peer = null;
      }
    },
    async connect(run) {
      this.close();
      if (!this.active) {
        this.phase = "idle";
        return;
      }
      if (this.mode === "webrtc") {
        this.phase = "connecting";
        this.loadStill(run);
      }
      const peer = new RTCPeerConnection({ iceServers: [] });
      this.peer = peer;
      this.pictures = 0;
      this.connectedAt = 0;
      peer.addTransceiver("video", { direction: "recvonly" });
      peer.ontrack = (event) => {
        event.receiver.jitterBufferTarget = 0; // an operator wants now, not smooth
        this.$refs.video.srcObject = new MediaStream([event.track]);
        this.$refs.video.play().catch(() => {}); // a page in the background may refuse until shown
      };
      peer.onconnectionstatechange = () => {
        if (run !== this.run || peer !== this.peer) return;
        if (peer.connectionState === "connected") this.connectedAt = performance.now();
        if (peer.connectionState === "failed" || peer.connectionState === "closed") {
          this.failed(run, "network");
        }
      };
      try {
        await peer.setLocalDescription(await peer.createOffer());
        await gathered(peer);
        if (run !== this.run) return;
        const response = await fetch(`/api/v1/cameras/${encodeURIComponent(this.camera)}/webrtc`, {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ type: "offer", sdp: peer.localDescription.sdp }),
          signal: AbortSignal.timeout(10000),
        });
        if (run !== this.run) return;
        const answer = await response.json();
        if (!response.ok) {
          this.refused(run, answer.reason);
          return;
        }
        await peer.setRemoteDescription({ type: "answer", sdp: answer.sdp });
        await sleep(FIRST_PICTURE_MS);
        if (run === this.run && peer === this.peer && this.pictures === 0) {
          this.failed(run, this.connectedAt ? "" : "network");
        }
      } catch (error) {
        if (run === this.run && peer === this.peer) this.failed(run, "");
      }
    },
    refused(run, reason) {
      if (["h265", "b_frames", "viewers"].includes(reason)) this.showStills(run, reason);
      else if (reason === "browser") this.showStills(run, "network");
      else this.again(run); // no_picture, redis away, dashboard restarting: it will come
    },
    failed(run, why) {
      this.close();
      if (why) this.failures += 1;
      if (this.failures >= FAILURES_BEFORE_STILLS) this.showStills(run, "network");
      else this.again(run);
    },
    async again(run) {
      this.close();
      if (this.mode === "webrtc") this.phase = "connecting";
      await sleep(RETRY_MS[Math.min(this.attempt, RETRY_MS.length - 1)]);
      this.attempt += 1;
      if (run === this.run) this.connect(run);
    },
    async showStills(run, why) {
      this.close();
      this.mode = "stills";
      this.why = why;
      const until = performance.now() + TRY_WEBRTC_AGAIN_MS;
      while (run === this.run && performance.now() < until) {
        const shown = await this.loadStill(run);
        if (run !== this.run) return;
        this.phase = shown ? "still" : "connecting";
        await sleep(STILL_MS);
      }
      if (run === this.run) {
        this.attempt = 0;
        this.connect(run);
      }
    },
    async loadStill(run) {
      try {
        const url = `/api/v1/cameras/${encodeURIComponent(this.camera)}/snapshot.jpg`;
        const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
        if (!response.ok) return false;
        const next = URL.createObjectURL(await response.blob());
        if (run !== this.run) {
          URL.revokeObjectURL(next);
          return false;
        }
        const old = this.still;
        this.still = next;
        if (old) setTimeout(() => URL.revokeObjectURL(old), 1000);
        return true;
      } catch (error) {
        return false; // away for a moment; the caller comes again
      }
    },
    countPictures() {
      if (this.gone) return;
      this.$refs.video?.requestVideoFrameCallback(() => {
        this.pictures += 1;
        this.pictureAt = performance.now();
        if (this.peer) {
          this.phase = "live";
          this.mode = "webrtc";
          this.why = "";
          this.failures = 0;
          this.attempt = 0;
        }
        this.countPictures();
      });
    },
    checkPictures() {
      if (!this.peer || this.pictures === 0) return;
      const silent = performance.now() - this.pictureAt;
      if (this.phase === "live" && silent > STALLED_MS) this.phase = "stalled";
      if (this.active && silent > GIVE_UP_MS) this.start();
    },
  },
};
