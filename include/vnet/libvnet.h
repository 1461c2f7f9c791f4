/* SPDX-License-Identifier: BSD-2-Clause */
/* All of libvnet but the port drivers that need an operating system. */
#ifndef VNET_LIBVNET_H
#define VNET_LIBVNET_H

#include <vnet/version.h>
#include <vnet/types.h>
#include <vnet/frame.h>
#include <vnet/filter.h>
#include <vnet/fdb.h>
#include <vnet/port.h>
#include <vnet/client.h>
#include <vnet/limit.h>
#include <vnet/grant.h>
#include <vnet/event.h>
#include <vnet/switch.h>
#include <vnet/explain.h>
#include <vnet/null.h>
#include <vnet/inproc.h>
#include <vnet/patch.h>

#endif
