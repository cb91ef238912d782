# One static program in an image without a shell, run by nobody in particular.
#
#   docker build --build-arg VERSION=v1.2.3 -t laurel .
#   docker run --env-file laurel.env -p 8080:8080 -v laurel:/var/lib/laurel laurel

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
ENV CGO_ENABLED=0 GOFLAGS=-buildvcs=false
RUN go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/bot ./cmd/bot \
	&& mkdir -p /out/state

# Brings CA certificates and time zones, and the user nonroot (65532).
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/bot /usr/local/bin/bot
COPY --from=build --chown=65532:65532 /out/state /var/lib/laurel
# The embedded database of the default DATABASE_URL lies in the working folder.
WORKDIR /var/lib/laurel
VOLUME /var/lib/laurel
ENV LISTEN_ADDR=:8080
EXPOSE 8080
USER 65532:65532
# Nothing can probe itself without a shell: ask /healthz and /readyz from
# outside.
HEALTHCHECK NONE
ENTRYPOINT ["/usr/local/bin/bot"]
CMD ["serve"]
