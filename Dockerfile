# The image is pinned by its full version. Both uses of it must be the same: the one that compiles
# runs on the building machine, the other only lends its files, so no step runs under emulation.
# Takes BuildKit. For several kinds of machines:
#   docker buildx build --platform linux/amd64,linux/arm64 .
ARG BUN_IMAGE=oven/bun:1.4.5-debian

FROM ${BUN_IMAGE} AS target

FROM --platform=$BUILDPLATFORM ${BUN_IMAGE} AS build
WORKDIR /build
COPY package.json bun.lock bunfig.toml ./
RUN bun install --frozen-lockfile
COPY tsconfig.json ./
COPY src ./src
ARG TARGETARCH
RUN --mount=type=bind,from=target,target=/target \
    bun src/build/binary.ts --arch "$TARGETARCH" --runtime /target/usr/local/bin/bun \
    && bun src/build/rootfs.ts --arch "$TARGETARCH" --sysroot /target --out /rootfs

FROM scratch
LABEL org.opencontainers.image.title="jwt-service-ts" \
      org.opencontainers.image.description="Authorization service between Matrix clients and a LiveKit SFU"
COPY --from=build /rootfs /
USER 65532:65532
# Saves the binary from starting itself once more to let the runtime make as many requests at once.
ENV BUN_CONFIG_MAX_HTTP_REQUESTS=1024
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s CMD ["/jwt-service", "healthcheck"]
ENTRYPOINT ["/jwt-service"]
