/* SPDX-License-Identifier: BSD-2-Clause */
/* The errors that libvnet names, with the numbers they have on the Hurd. */
#ifndef BARE_ERRNO_H
#define BARE_ERRNO_H

#define BARE_ERRNO(n) (0x40000000 | (n))

#define EPERM         BARE_ERRNO(1)
#define ENOENT        BARE_ERRNO(2)
#define EINTR         BARE_ERRNO(4)
#define EIO           BARE_ERRNO(5)
#define ENXIO         BARE_ERRNO(6)
#define E2BIG         BARE_ERRNO(7)
#define EBADF         BARE_ERRNO(9)
#define ENOMEM        BARE_ERRNO(12)
#define EACCES        BARE_ERRNO(13)
#define EFAULT        BARE_ERRNO(14)
#define EBUSY         BARE_ERRNO(16)
#define EEXIST        BARE_ERRNO(17)
#define ENODEV        BARE_ERRNO(19)
#define EINVAL        BARE_ERRNO(22)
#define ENFILE        BARE_ERRNO(23)
#define EMFILE        BARE_ERRNO(24)
#define EFBIG         BARE_ERRNO(27)
#define ENOSPC        BARE_ERRNO(28)
#define EPIPE         BARE_ERRNO(32)
#define ERANGE        BARE_ERRNO(34)
#define EAGAIN        BARE_ERRNO(35)
#define EINPROGRESS   BARE_ERRNO(36)
#define EALREADY      BARE_ERRNO(37)
#define EMSGSIZE      BARE_ERRNO(40)
#define EOPNOTSUPP    BARE_ERRNO(45)
#define EADDRINUSE    BARE_ERRNO(48)
#define EADDRNOTAVAIL BARE_ERRNO(49)
#define ENETDOWN      BARE_ERRNO(50)
#define ECONNRESET    BARE_ERRNO(54)
#define ENOBUFS       BARE_ERRNO(55)
#define EISCONN       BARE_ERRNO(56)
#define ETIMEDOUT     BARE_ERRNO(60)
#define ECONNREFUSED  BARE_ERRNO(61)
#define ENAMETOOLONG  BARE_ERRNO(63)
#define EUSERS        BARE_ERRNO(68)
#define EBADMSG       BARE_ERRNO(107)
#define EOVERFLOW     BARE_ERRNO(114)
#define EPROTO        BARE_ERRNO(116)
#define ENOTSUP       BARE_ERRNO(118)
#define EWOULDBLOCK   EAGAIN

#endif
